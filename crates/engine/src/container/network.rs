//! A container's network, made at its start and given back at its end.

use super::joined::Donors;
use super::ports;
use super::user_namespace::Mapped;
use crate::Services;
use containers::Record;
use errors::{Class, Error, Result};
use events::{Event, NetworkAction};
use networks::{Connection, Endpoint, Sandbox};
use runtime::bundle::NetworkNamespace;
use spec::{EndpointRequest, NetworkMode, PortBinding};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use undo::Undo;

/// What a start needs of the network.
#[derive(Debug)]
pub(super) struct Network {
    /// What the runtime joins.
    pub(super) namespace: NetworkNamespace,
    /// Attachments by network name.
    pub(super) endpoints: BTreeMap<String, Endpoint>,
    /// Keeps the namespace alive until the runtime has joined it.
    _sandbox: Option<Sandbox>,
}

/// Makes the container's namespace, in its user namespace if it has one, and attaches it.
pub(super) async fn connect(
    services: &Arc<Services>,
    record: &Record,
    mapped: Option<&Mapped>,
    donors: &Donors,
    undo: &mut Undo,
) -> Result<Network> {
    undo.step("make the network namespace")?;
    let request = &record.spec.network;
    if let NetworkMode::Container(other) = &request.mode {
        return join(donors, other);
    }
    let sandbox = match (&request.mode, mapped) {
        (NetworkMode::Host, _) => Sandbox::host(),
        (_, None) => services.networks.sandbox().await?,
        // A namespace from the store of prepared ones would belong to the host's user namespace.
        (_, Some(mapped)) => {
            let namespace = mapped.namespace.network().try_clone_to_owned();
            let namespace = namespace.map_err(|error| Error::wrap(Class::Unavailable, error))?;
            services.networks.sandbox_of(namespace).await?
        }
    };

    undo.step("connect the network")?;
    let mut endpoints = BTreeMap::new();
    let wanted = ordered(&request.mode, &request.endpoints);
    let bindings = ports::bindings(request);
    let publishing = publishing(services, &wanted);
    for (number, (network, asked)) in wanted.iter().enumerate() {
        let place = Place {
            number,
            routed: wanted.len() == 1,
            bindings: if publishing.as_deref() == Some(network) { &bindings } else { &[] },
        };
        let endpoint = connect_one(services, record, &sandbox, network, asked, place).await?;
        undo.push("release the network", {
            let (services, endpoint) = (Arc::clone(services), endpoint.clone());
            move || {
                Box::pin(async move {
                    release_one(&services, &endpoint);
                    services.networks.unplugged(&endpoint.container).await;
                    Ok(())
                })
            }
        });
        endpoints.insert(endpoint.network.clone(), endpoint);
    }
    if endpoints.len() > 1 {
        services.networks.route(&sandbox, endpoints.values()).await?;
    }
    undo.step("publish the ports")?;
    ports::publish(services, record, &mut endpoints).await?;
    let namespace = match sandbox.path() {
        Some(path) => NetworkNamespace::Path(path.to_owned()),
        None => NetworkNamespace::Host,
    };
    Ok(Network { namespace, endpoints, _sandbox: Some(sandbox) })
}

/// What an attachment is among those of a container.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Of its device.
    pub(crate) number: usize,
    /// Whether it gets the default routes at once.
    pub(crate) routed: bool,
    /// What it publishes, if plugins have to know beforehand.
    pub(crate) bindings: &'a [PortBinding],
}

/// The network that ports lead through, as far as it can be known before the attachments are made.
fn publishing(services: &Services, wanted: &[(&str, &EndpointRequest)]) -> Option<String> {
    let may_lead_out = |name: &str| services.networks.find(name).is_ok_and(|network| network.may_lead_out());
    let leading = wanted.iter().filter(|(name, _)| may_lead_out(name));
    let best = leading.min_by_key(|(name, request)| (std::cmp::Reverse(request.gateway_priority), *name));
    best.map(|(name, _)| (*name).to_owned())
}

/// Attaches a container's namespace to one network and tells of it.
pub(crate) async fn connect_one(
    services: &Services,
    record: &Record,
    sandbox: &Sandbox,
    network: &str,
    request: &EndpointRequest,
    place: Place<'_>,
) -> Result<Endpoint> {
    let mut names = vec![record.name.to_string(), record.id.short().to_owned()];
    if !record.spec.hostname.is_empty() {
        names.push(record.spec.hostname.clone());
    }
    let Place { number, routed, bindings } = place;
    let container = &record.id;
    let connection = Connection { container, network, names: &names, request, number, routed, bindings };
    let endpoint = services.networks.connect(sandbox, connection).await?;
    let container = record.id.to_string();
    publish(services, &endpoint, &NetworkAction::Connect { container });
    Ok(endpoint)
}

/// The attachments in the order in which their devices are numbered: the network that is the container's mode, then by name.
fn ordered<'a>(
    mode: &NetworkMode,
    endpoints: &'a BTreeMap<String, EndpointRequest>,
) -> Vec<(&'a str, &'a EndpointRequest)> {
    let main = match mode {
        NetworkMode::Named(name) => name.as_str(),
        _ => "bridge",
    };
    let mut ordered: Vec<_> = endpoints.iter().map(|(name, request)| (name.as_str(), request)).collect();
    ordered.sort_by_key(|(name, _)| *name != main);
    ordered
}

fn join(donors: &Donors, other: &str) -> Result<Network> {
    let pid = donors.pid_of(other, "join the network namespace of")?;
    let namespace = NetworkNamespace::Path(PathBuf::from(format!("/proc/{pid}/ns/net")));
    Ok(Network { namespace, endpoints: BTreeMap::new(), _sandbox: None })
}

/// Gives the addresses back at once; the kernel takes the devices with the namespace. Plugins take their time
/// ([`networks::Networks::unplugged`]).
pub(super) fn release(services: &Services, record: &Record) {
    for endpoint in record.endpoints.values() {
        release_one(services, endpoint);
    }
}

fn release_one(services: &Services, endpoint: &Endpoint) {
    services.networks.release(endpoint);
    let container = endpoint.container.to_string();
    publish(services, endpoint, &NetworkAction::Disconnect { container });
}

pub(crate) fn publish(services: &Services, endpoint: &Endpoint, action: &NetworkAction) {
    let driver = services.networks.find(&endpoint.network).map_or("", |network| network.driver.as_str());
    services.events.publish(Event::network(action, endpoint.network_id.as_str(), &endpoint.network, driver));
}
