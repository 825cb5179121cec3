//! A container comes to a network of plugins.

use super::record::{self, Record};
use super::{Held, Phase, PluggedError, Plugins, configuration_of, pin, wish};
use crate::connect::Connection;
use crate::family::Ipv6;
use crate::ports::{Ports, Wanted, wanted};
use crate::publish::holder_of;
use crate::{Assigned, Endpoint, Error, Mac, Network, Networks, Published, Result, attach};
use cni::Attached;
use ids::EndpointId;
use net::{Namespace, link};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

type Attachments = Mutex<HashMap<EndpointId, Endpoint>>;

/// An attachment that is being made: it is taken back unless it is kept.
struct Joining {
    plugins: Arc<Plugins>,
    attached: Arc<Attachments>,
    id: EndpointId,
    kept: bool,
}

impl Drop for Joining {
    fn drop(&mut self) {
        if !self.kept {
            self.attached.lock().remove(&self.id);
            self.plugins.leave(&self.id);
        }
    }
}

impl Networks {
    /// Lets the plugins of a network attach a namespace.
    pub(crate) async fn plug(
        &self,
        network: &Network,
        namespace: Arc<Namespace>,
        connection: &Connection<'_>,
    ) -> Result<Endpoint> {
        let plugins = &self.plugins;
        let (finder, name) = (Arc::clone(plugins), configuration_of(network).to_owned());
        let configuration = offload::blocking(move || finder.find(&name)).await?;
        let wishes = wish::read(network, &configuration, connection.request)?;
        if !connection.bindings.is_empty() {
            wish::need(network, &configuration, "publishing a port", "portMappings")?;
        }
        let mut endpoint = attach::bare(network, connection)?;
        endpoint.plugged = true;
        endpoint.device = Some(format!("eth{}", connection.number));
        // Plugins know attachments by container and device: what it had before has to be over.
        plugins.settle(|record| record.container == *connection.container).await;
        if plugins.has(&endpoint) {
            // Taken back later, it would take this one along.
            let (network, device) = (endpoint.network, endpoint.device.unwrap_or_default());
            return Err(PluggedError::LeftOver { network, device }.into());
        }

        let joining = Joining {
            plugins: Arc::clone(plugins),
            attached: Arc::clone(&self.attached),
            id: endpoint.id.clone(),
            kept: false,
        };
        let bindings = wanted(connection.bindings);
        let (ports, attached) = (Arc::clone(&self.ports), Arc::clone(&self.attached));
        let endpoint = offload::blocking(move || -> Result<_> {
            // Nobody else finds them free once they are known.
            let mut ports = ports.lock();
            endpoint.ports = find_ports(&mut ports, &attached, &endpoint, &bindings)?;
            attached.lock().insert(endpoint.id.clone(), endpoint.clone());
            Ok(endpoint)
        })
        .await?;
        let mut record = Record {
            id: endpoint.id.clone(),
            container: endpoint.container.clone(),
            network: endpoint.network_id.clone(),
            configuration,
            wishes: cni::Wishes { ports: wish::mappings(&endpoint.ports), ..wishes },
            namespace: plugins.pins.join(endpoint.id.as_str()),
            device: endpoint.device.clone().unwrap_or_default(),
            result: None,
        };
        plugins.note(&record).await?;
        let (places, asked, id) = (plugins.places.clone(), record.clone(), record.id.clone());
        // Plugins take as long as they do, on a thread of their own.
        let made = offload::lasting("cni-add", move || -> Result<_> {
            // Dropped here if it comes to nothing.
            let joining = joining;
            pin::pin(namespace.path(), &asked.namespace)?;
            let made = cni::attach(&places, &asked.configuration, &asked.attachment());
            let made = made.map_err(PluggedError::from)?;
            joining.plugins.has_made(&joining.id, &made.raw);
            let endpoint = entered(endpoint, &asked.wishes, &made, &namespace)?;
            Ok((endpoint, made.raw, joining))
        })
        .await
        .map_err(PluggedError::Thread);
        let noted = match made {
            Ok(Ok((endpoint, result, joining))) => {
                record.result = Some(result);
                // Else it is dropped, and taken back.
                plugins.note(&record).await.map(|()| (endpoint, joining))
            }
            Ok(Err(error)) => Err(error),
            Err(error) => Err(error.into()),
        };
        let (endpoint, mut joining) = match noted {
            Ok(noted) => noted,
            Err(error) => {
                // Whoever hears of it may expect that nothing is left.
                plugins.settle(|record| record.id == id).await;
                return Err(error);
            }
        };
        self.attached.lock().insert(endpoint.id.clone(), endpoint.clone());
        joining.kept = true;
        Ok(endpoint)
    }
}

impl Plugins {
    /// Whether there is an attachment of the container with the same device.
    fn has(&self, endpoint: &Endpoint) -> bool {
        let held = self.held.lock();
        let mut records = held.values().map(|held| &held.record);
        records.any(|record| {
            record.container == endpoint.container && Some(&record.device) == endpoint.device.as_ref()
        })
    }

    /// Keeps what the plugins made, which they want to see again when they take it back.
    fn has_made(&self, id: &EndpointId, result: &serde_json::Value) {
        if let Some(held) = self.held.lock().get_mut(id) {
            held.record = Arc::new(Record { result: Some(result.clone()), ..Record::clone(&held.record) });
        }
    }

    /// Writes a record that is new, or has changed.
    async fn note(&self, record: &Record) -> Result<()> {
        let held = Held { record: Arc::new(record.clone()), phase: Phase::There };
        self.held.lock().insert(record.id.clone(), held);
        record::put(&*self.store, record).await
    }
}

/// Ports of the host for a container of which only the plugins know what addresses it will have.
fn find_ports(
    ports: &mut Ports,
    attached: &Attachments,
    endpoint: &Endpoint,
    wanted: &[Wanted],
) -> Result<Vec<Published>> {
    let any = |address: IpAddr| Assigned { address, prefix: 0, gateway: None, by_device: false };
    let ipv4 = Some(any(Ipv4Addr::UNSPECIFIED.into()));
    let ipv6 = (Ipv6::of_host() == Ipv6::On).then(|| any(Ipv6Addr::UNSPECIFIED.into()));
    let both = Endpoint { ipv4, ipv6, ..endpoint.clone() };
    // What people call it.
    let called = |other: &Endpoint| {
        let name = other.dns_names.first().cloned();
        name.unwrap_or_else(|| other.container.short().to_owned())
    };
    let holder = |one: &Published| holder_of(attached, &endpoint.container, one, &called);
    ports.find(&both, wanted, None, &[], &holder)
}

/// An endpoint with what the plugins say that they made.
fn entered(
    mut endpoint: Endpoint,
    wishes: &cni::Wishes,
    made: &Attached,
    namespace: &Namespace,
) -> Result<Endpoint> {
    let has = |wanted: &IpAddr| made.addresses.iter().any(|one| one.address.addr() == *wanted);
    if let Some(address) = wishes.addresses.iter().find(|wanted| !has(wanted)) {
        let network = endpoint.network;
        return Err(PluggedError::OtherAddress { network, address: *address }.into());
    }
    endpoint.ipv4 = assigned(made, true);
    endpoint.ipv6 = assigned(made, false);
    endpoint.mac =
        made.mac.as_deref().and_then(|text| text.parse().ok()).or_else(|| mac(&endpoint, namespace));
    let lacks = |host: &IpAddr| if host.is_ipv4() { endpoint.ipv4 } else { endpoint.ipv6 }.is_none();
    if let Some(one) = endpoint.ports.iter().find(|one| lacks(&one.host) && !one.host.is_unspecified()) {
        return Err(Error::NoFamilyFor { host: one.host, network: endpoint.network.clone() });
    }
    let reached = endpoint.ports.iter().filter(|one| !lacks(&one.host)).copied().collect();
    endpoint.ports = reached;
    Ok(endpoint)
}

/// The first address of a family.
fn assigned(made: &Attached, v4: bool) -> Option<Assigned> {
    let first = made.addresses.iter().find(|one| one.address.addr().is_ipv4() == v4)?;
    let default = made.defaults.iter().find(|route| route.v4 == v4);
    Some(Assigned {
        address: first.address.addr(),
        prefix: first.address.prefix_len(),
        gateway: default.and_then(|route| route.gateway),
        by_device: default.is_some_and(|route| route.gateway.is_none()),
    })
}

/// What the kernel says, where the plugins said nothing.
fn mac(endpoint: &Endpoint, namespace: &Namespace) -> Option<Mac> {
    let device = endpoint.device.as_deref()?;
    let found = namespace.with_socket(|socket| link::get(socket, device)).ok()?;
    let pairs = found.mac?.map(|byte| format!("{byte:02x}"));
    pairs.join(":").parse().ok()
}
