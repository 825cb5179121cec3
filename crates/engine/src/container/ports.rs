//! A container's published ports: at its start, and while it runs.

use crate::Services;
use containers::Record;
use errors::{Error, Result};
use networks::Endpoint;
use spec::{ExposedPort, NetworkMode, NetworkRequest, PortBinding, PortRange};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

/// Ports to be published besides those that are, and ports to be published no more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortChange {
    /// These come, …
    pub add: Vec<PortBinding>,
    /// … and these go: without the host's port or address, all bindings of the container's port.
    pub remove: Vec<PortBinding>,
}

/// Publishes a container's ports by the endpoint that its default route leaves by; what is taken back of the endpoint takes them back
/// too.
pub(super) async fn publish(
    services: &Arc<Services>,
    record: &Record,
    endpoints: &mut BTreeMap<String, Endpoint>,
) -> Result<()> {
    let bindings = bindings(&record.spec.network);
    let led_by_plugins = endpoints.values().any(|endpoint| endpoint.plugged && !endpoint.ports.is_empty());
    if bindings.is_empty() || led_by_plugins {
        return Ok(());
    }
    let main = networks::default_route(endpoints.values()).map(|main| main.network.clone());
    let Some(endpoint) = main.and_then(|main| endpoints.get_mut(&main)) else { return Ok(()) };
    let published = services.networks.publish(endpoint, &bindings, name_of(services)).await;
    published.map_err(|error| failed(record, &endpoint.id, error))
}

/// Brings the ports of a running container to what `request` asks for, by that of `endpoints` which its default route leaves by now, and
/// answers the endpoints as they are then.
///
/// # Errors
/// For a port that can't be had; the ports are as they were then.
pub(crate) async fn republish(
    services: &Arc<Services>,
    record: &Record,
    request: &NetworkRequest,
    endpoints: &BTreeMap<String, Endpoint>,
) -> Result<BTreeMap<String, Endpoint>> {
    let bindings = bindings(request);
    let publishes = endpoints.values().any(|endpoint| !endpoint.ports.is_empty());
    let Some(main) =
        networks::default_route(endpoints.values()).filter(|_| publishes || !bindings.is_empty())
    else {
        return Ok(endpoints.clone());
    };
    let present = endpoints.values().cloned().collect();
    let published = services.networks.republish(present, &bindings, name_of(services)).await;
    let published = published.map_err(|error| failed(record, &main.id, error))?;
    Ok(published.into_iter().map(|endpoint| (endpoint.network.clone(), endpoint)).collect())
}

/// What a container asks for after a change.
///
/// # Errors
/// `Invalid` where nothing is published that is to go, and in another container's namespace.
pub(super) fn changed(request: &NetworkRequest, change: &PortChange) -> Result<NetworkRequest> {
    if matches!(request.mode, NetworkMode::Container(_)) {
        let why = "conflicting options: port publishing and the container type network mode";
        return Err(super::invalid(why));
    }
    let mut published: Vec<_> = request.published.iter().flat_map(PortBinding::one_by_one).collect();
    let mut exposed = request.exposed.clone();
    for gone in &change.remove {
        // The container's ports of which something was found.
        let mut found = BTreeSet::new();
        published.retain(|binding| {
            let meant = is_meant(gone, binding);
            found.extend(meant.then_some(binding.container.first));
            !meant
        });
        if request.publish_all && gone.host_port.is_none() && gone.host_ip.is_none() {
            // Else it would get a free port.
            let going = exposed.iter().filter(|port| gone.container.contains(*port));
            found.extend(going.map(|port| port.port));
            exposed = exposed.iter().filter(|port| !gone.container.contains(*port)).collect();
        }
        if let Some(missing) = gone.one_by_one().find(|one| !found.contains(&one.container.first)) {
            return Err(super::invalid(format!("the container does not publish {}", shown(&missing))));
        }
    }
    let mut known: HashSet<_> = published.iter().copied().collect();
    for binding in change.add.iter().flat_map(PortBinding::one_by_one) {
        if known.insert(binding) {
            published.push(binding);
        }
    }
    exposed.extend(change.add.iter().map(|binding| binding.container));
    let published = PortBinding::put_together(published);
    Ok(NetworkRequest { published, exposed, ..request.clone() })
}

/// Whether a binding of one port is among those that `gone` names.
fn is_meant(gone: &PortBinding, binding: &PortBinding) -> bool {
    let port = ExposedPort { port: binding.container.first, protocol: binding.container.protocol };
    gone.container.contains(port)
        && (gone.host_ip.is_none() || gone.host_ip == binding.host_ip)
        && (gone.host_port.is_none()
            || (gone.host_port_for(port.port), gone.host_port_end)
                == (binding.host_port, binding.host_port_end))
}

/// `127.0.0.1:8080:80/tcp`
fn shown(binding: &PortBinding) -> String {
    let PortRange { protocol, first: port, .. } = binding.container;
    let ip = match binding.host_ip {
        None => String::new(),
        Some(IpAddr::V6(ip)) => format!("[{ip}]:"),
        Some(IpAddr::V4(ip)) => format!("{ip}:"),
    };
    let host = match (binding.host_port, binding.host_port_end) {
        (Some(first), Some(last)) => format!("{first}-{last}:"),
        (Some(first), None) => format!("{first}:"),
        _ if ip.is_empty() => String::new(),
        _ => ":".to_owned(),
    };
    format!("{ip}{host}{port}/{}", protocol.as_str())
}

/// What is to be published: what was asked for, and with `-P` every other port that is exposed.
pub(super) fn bindings(network: &NetworkRequest) -> Vec<PortBinding> {
    let mut bindings = network.published.clone();
    if network.publish_all {
        let is_left = |port: &ExposedPort| !bindings.iter().any(|one| one.container.contains(*port));
        let others = network.exposed.iter().filter(is_left);
        let anywhere = |port: ExposedPort| PortBinding {
            container: port.into(),
            host_ip: None,
            host_port: None,
            host_port_end: None,
        };
        let others: Vec<PortBinding> = others.map(anywhere).collect();
        bindings.extend(others);
    }
    bindings
}

fn name_of(services: &Arc<Services>) -> impl Fn(&Endpoint) -> String + Send + use<> {
    let services = Arc::clone(services);
    move |other: &Endpoint| crate::network::name_of(&services, other)
}

fn failed(record: &Record, endpoint: &ids::EndpointId, error: networks::Error) -> Error {
    let what =
        format!("driver failed programming external connectivity on endpoint {} ({endpoint})", record.name);
    Error::from(error).context(what)
}

#[cfg(test)]
mod tests {
    use super::*;
    use spec::PortProtocol;

    fn binding(ip: &str, host: Option<u16>, port: u16) -> PortBinding {
        let container = ExposedPort { port, protocol: PortProtocol::Tcp }.into();
        PortBinding { container, host_ip: ip.parse().ok(), host_port: host, host_port_end: None }
    }

    fn request(published: &[PortBinding]) -> NetworkRequest {
        let exposed = published.iter().map(|one| one.container).collect();
        NetworkRequest { published: published.to_vec(), exposed, ..NetworkRequest::default() }
    }

    #[test]
    fn what_goes_is_named_as_closely_as_one_likes() {
        let (one, other) = (binding("", Some(8080), 80), binding("127.0.0.1", Some(8081), 80));
        let before = request(&[one, other, binding("", None, 81)]);
        let left = |gone: PortBinding| {
            let change = PortChange { remove: vec![gone], ..PortChange::default() };
            changed(&before, &change).map(|after| after.published.len())
        };
        assert_eq!(left(binding("", None, 80)).unwrap(), 1);
        assert_eq!(left(one).unwrap(), 2);
        assert_eq!(left(binding("127.0.0.1", None, 80)).unwrap(), 2);
        let error = left(binding("127.0.0.1", Some(8080), 80)).unwrap_err();
        assert_eq!(error.to_string(), "the container does not publish 127.0.0.1:8080:80/tcp");
    }

    #[test]
    fn what_comes_is_exposed_and_what_goes_is_not_given_a_free_port() {
        let change = PortChange { add: vec![binding("", Some(1), 99)], ..PortChange::default() };
        let after = changed(&request(&[]), &change).unwrap();
        assert_eq!((after.published.len(), after.exposed.iter().count()), (1, 1));
        let all = NetworkRequest { publish_all: true, ..after };
        let change = PortChange { remove: vec![binding("", None, 99)], ..PortChange::default() };
        assert_eq!(bindings(&changed(&all, &change).unwrap()), []);
    }
}
