//! Networks, and containers' attachments to them.

use crate::wire::endpoint::{EndpointIpam, EndpointSettings};
use crate::wire::inspect::NetworkSettings;
use crate::wire::network::{Attached, Checked, ConfigFrom, Ipam, IpamConfig, Network, Step};
use crate::wire::ports::PortMap;
use containers::Record;
use engine::network::NetworkInspection;
use networks::Assigned;
use networks::Endpoint;
use spec::{EndpointRequest, ExposedPort, NetworkMode, PortBinding};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// `NetworkSettings` of `inspect`.
pub(crate) fn settings(record: &Record) -> NetworkSettings {
    let networks: BTreeMap<String, EndpointSettings> =
        endpoints(record).map(|(name, settings)| (name.to_owned(), settings)).collect();
    let main = networks.get("bridge").cloned().unwrap_or_default();
    let pid = record.state.pid();
    NetworkSettings {
        // The namespace has no name of its own: it is its container's, and lives as long.
        sandbox_id: pid.map(|_| record.id.to_string()).unwrap_or_default(),
        sandbox_key: pid.map(|pid| format!("/proc/{pid}/ns/net")).unwrap_or_default(),
        carried: if record.state.is_live() { carried(record) } else { Vec::new() },
        ports: if record.state.is_live() { ports(record) } else { PortMap::default() },
        endpoint_id: main.endpoint_id,
        gateway: main.gateway,
        global_ipv6_address: main.global_ipv6_address,
        global_ipv6_prefix_len: main.global_ipv6_prefix_len,
        ip_address: main.ip_address,
        ip_prefix_len: main.ip_prefix_len,
        ipv6_gateway: main.ipv6_gateway,
        mac_address: main.mac_address,
        networks,
        ..NetworkSettings::default()
    }
}

/// Exposed ports, and what of the host's leads to them.
fn ports(record: &Record) -> PortMap {
    if matches!(record.spec.network.mode, NetworkMode::Host | NetworkMode::Container(_)) {
        return PortMap::default();
    }
    let published = record.endpoints.values().flat_map(|endpoint| &endpoint.ports);
    let bindings = published.map(|one| PortBinding {
        container: one.container_range(),
        host_ip: Some(one.host),
        host_port: Some(one.first),
        host_port_end: None,
    });
    PortMap::of(record.spec.network.exposed.clone(), bindings.collect())
}

/// What of them does not go by the kernel: `[::1]:8080/tcp`, `[::1]:8000-8010/udp`.
fn carried(record: &Record) -> Vec<String> {
    let text = |port: netd_protocol::Port| {
        let last = if port.last == port.first { String::new() } else { format!("-{}", port.last) };
        let protocol = if port.protocol == netd_protocol::Port::TCP { "tcp" } else { "udp" };
        format!("[::1]:{}{last}/{protocol}", port.first)
    };
    engine::container::carried(record).map(text).collect()
}

/// The host's addresses and ports that lead to a port of a container.
pub(crate) fn published(record: &Record, port: ExposedPort) -> impl Iterator<Item = (IpAddr, u16)> {
    let all = record.endpoints.values().flat_map(|endpoint| &endpoint.ports);
    all.filter(move |one| one.protocol == port.protocol)
        .filter_map(move |one| Some((one.host, one.host_port(port.port)?)))
}

/// Attachments by network, in the order of names: the real ones, or of a container that does not run the ones that it will get.
pub(crate) fn endpoints(record: &Record) -> impl Iterator<Item = (&str, EndpointSettings)> {
    let requests = &record.spec.network.endpoints;
    let real = record.endpoints.iter();
    let real = real.map(|(name, endpoint)| (name.as_str(), attachment(requests.get(name), Some(endpoint))));
    let wanted = record.endpoints.is_empty().then_some(requests).into_iter().flatten();
    real.chain(wanted.map(|(name, request)| (name.as_str(), attachment(Some(request), None))))
}

fn attachment(request: Option<&EndpointRequest>, endpoint: Option<&Endpoint>) -> EndpointSettings {
    let mut settings = request.map(requested).unwrap_or_default();
    let Some(endpoint) = endpoint else { return settings };
    let address = |assigned: Option<Assigned>| {
        assigned.map_or((String::new(), 0, String::new()), |assigned| {
            let gateway = assigned.gateway.map(|gateway| gateway.to_string()).unwrap_or_default();
            (assigned.address.to_string(), assigned.prefix, gateway)
        })
    };
    (settings.ip_address, settings.ip_prefix_len, settings.gateway) = address(endpoint.ipv4);
    (settings.global_ipv6_address, settings.global_ipv6_prefix_len, settings.ipv6_gateway) =
        address(endpoint.ipv6);
    settings.mac_address = endpoint.mac.map(|mac| mac.to_string()).unwrap_or_default();
    settings.network_id = endpoint.network_id.to_string();
    settings.endpoint_id = endpoint.id.to_string();
    settings.gw_priority = endpoint.gateway_priority;
    // On the networks that are always there nobody is found by name.
    let named = !["bridge", "host", "none"].contains(&endpoint.network.as_str());
    settings.dns_names = (named && !endpoint.dns_names.is_empty()).then(|| endpoint.dns_names.clone());
    settings
}

fn requested(request: &EndpointRequest) -> EndpointSettings {
    let list = |list: &Vec<String>| (!list.is_empty()).then(|| list.clone());
    let ipam = EndpointIpam {
        ipv4_address: request.ipv4.clone().unwrap_or_default(),
        ipv6_address: request.ipv6.clone().unwrap_or_default(),
        link_local_ips: request.link_local.clone(),
    };
    EndpointSettings {
        ipam_config: (ipam != EndpointIpam::default()).then_some(ipam),
        links: list(&request.links),
        aliases: list(&request.aliases),
        mac_address: request.mac_address.clone().unwrap_or_default(),
        driver_opts: (!request.driver_options.is_empty()).then(|| request.driver_options.clone()),
        gw_priority: request.gateway_priority,
        ..EndpointSettings::default()
    }
}

/// A network; in lists without its containers.
pub(crate) fn network(found: &NetworkInspection, with_containers: bool) -> Network {
    let network = &found.network;
    let ranges: Vec<IpamConfig> = network
        .ipam
        .config
        .iter()
        .map(|range| IpamConfig {
            subnet: range.subnet.to_string(),
            ip_range: range.ip_range.map(|part| part.to_string()).unwrap_or_default(),
            gateway: range.gateway.map(|gateway| gateway.to_string()).unwrap_or_default(),
            auxiliary_addresses: strings(&range.auxiliary),
        })
        .collect();
    let options = &network.ipam.options;
    Network {
        name: network.name.clone(),
        id: network.id.to_string(),
        created: network.created.to_string(),
        scope: network.scope.clone(),
        driver: network.driver.as_str().to_owned(),
        enable_ipv4: network.enable_ipv4,
        enable_ipv6: network.enable_ipv6,
        ipam: Ipam {
            driver: network.ipam.driver.clone(),
            // Docker's word for "none given" differs between what it makes itself and what a client asks for.
            options: (!network.is_predefined() || !options.is_empty()).then(|| options.clone()),
            config: (!ranges.is_empty()).then_some(ranges),
        },
        internal: network.internal,
        attachable: network.attachable,
        ingress: network.ingress,
        config_from: ConfigFrom { network: network.config_from.clone() },
        config_only: network.config_only,
        containers: found
            .endpoints
            .iter()
            .filter(|_| with_containers)
            .map(|(name, endpoint)| (endpoint.container.to_string(), attached(name, endpoint)))
            .collect(),
        options: network.options.clone(),
        labels: network.labels.clone(),
    }
}

fn strings(addresses: &BTreeMap<String, std::net::IpAddr>) -> BTreeMap<String, String> {
    addresses.iter().map(|(name, address)| (name.clone(), address.to_string())).collect()
}

fn attached(name: &str, endpoint: &Endpoint) -> Attached {
    let with_prefix = |assigned: Option<Assigned>| {
        assigned.map(|a| format!("{}/{}", a.address, a.prefix)).unwrap_or_default()
    };
    Attached {
        name: name.to_owned(),
        endpoint_id: endpoint.id.to_string(),
        mac_address: endpoint.mac.map(|mac| mac.to_string()).unwrap_or_default(),
        ipv4_address: with_prefix(endpoint.ipv4),
        ipv6_address: with_prefix(endpoint.ipv6),
    }
}

/// The answer of `GET /container-runtime/network/check`.
pub(crate) fn checked(report: engine::network::Checked) -> Checked {
    let steps = report.steps.into_iter().map(|step| Step { finding: step.finding, passes: step.passes });
    Checked {
        steps: steps.collect(),
        reachable: report.reachable,
        verdict: report.verdict,
        next: report.next,
    }
}
