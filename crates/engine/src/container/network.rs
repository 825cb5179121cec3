//! A container's network, made at its start and given back at its end.

use super::joined::Donors;
use super::user_namespace::Mapped;
use crate::Services;
use containers::Record;
use errors::{Class, Error, Result};
use events::{Event, NetworkAction};
use networks::{Endpoint, Sandbox};
use runtime::bundle::NetworkNamespace;
use spec::NetworkMode;
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
    let network = services.networks.resolve(&request.mode)?.map_or_else(String::new, |network| network.name);
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
    let asked = request.endpoints.get(&network).cloned().unwrap_or_default();
    let mut asked = asked;
    if asked.mac_address.is_none() {
        asked.mac_address.clone_from(&request.mac_address);
    }
    let names = [record.name.to_string(), record.id.short().to_owned()];
    let endpoint = services.networks.connect(&sandbox, &record.id, &network, &names, &asked).await?;
    undo.push_sync("release the network", {
        let (services, endpoint) = (Arc::clone(services), endpoint.clone());
        move || {
            release_one(&services, &endpoint);
            Ok(())
        }
    });
    let container = record.id.to_string();
    publish(services, &endpoint, &NetworkAction::Connect { container });
    let namespace = match sandbox.path() {
        Some(path) => NetworkNamespace::Path(path.to_owned()),
        None => NetworkNamespace::Host,
    };
    Ok(Network { namespace, endpoints: BTreeMap::from([(network, endpoint)]), _sandbox: Some(sandbox) })
}

fn join(donors: &Donors, other: &str) -> Result<Network> {
    let pid = donors.pid_of(other, "join the network namespace of")?;
    let namespace = NetworkNamespace::Path(PathBuf::from(format!("/proc/{pid}/ns/net")));
    Ok(Network { namespace, endpoints: BTreeMap::new(), _sandbox: None })
}

/// Gives the addresses back at once; the kernel takes the devices with the namespace.
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

fn publish(services: &Services, endpoint: &Endpoint, action: &NetworkAction) {
    let driver = services.networks.find(&endpoint.network).map_or("", |network| network.driver.as_str());
    services.events.publish(Event::network(action, endpoint.network_id.as_str(), &endpoint.network, driver));
}
