//! From the engine's records to those of netd.

use crate::Services;
use containers::Record;
use netd_protocol as protocol;
use networks::{BridgeRules, Driver, Endpoint, Network, PortRule, TablePart, files};
use spec::NetworkMode;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Where Docker's resolver is in every container: programs have learnt it.
const IN_CONTAINERS: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11));

/// The port that names are asked at.
const PORT: u16 = 53;

/// Whether a container asks netd: it has a namespace of its own that may be on networks. One whose client names a server
/// on its own loopback asks that, where netd is not.
pub(crate) fn asks_netd(record: &Record) -> bool {
    let network = &record.spec.network;
    match network.mode {
        NetworkMode::Host | NetworkMode::None | NetworkMode::Container(_) => false,
        NetworkMode::Default | NetworkMode::Named(_) => {
            !network.disabled && !network.endpoints.contains_key("none") && !asks_itself(record)
        }
    }
}

fn asks_itself(record: &Record) -> bool {
    servers(record).any(|server| server.is_loopback())
}

/// Its user's name servers.
fn servers(record: &Record) -> impl Iterator<Item = IpAddr> {
    record.spec.network.dns.servers.iter().filter_map(|server| server.parse().ok())
}

/// What stands in its `resolv.conf`.
fn name_servers(services: &Services, record: &Record, endpoints: &BTreeMap<String, Endpoint>) -> Vec<IpAddr> {
    if !answers_names_itself(record) {
        return vec![IN_CONTAINERS];
    }
    let networks = networks::ranked(endpoints.values());
    let networks = networks.into_iter().filter_map(|endpoint| services.networks.find(&endpoint.network).ok());
    let found: Vec<_> = networks.flat_map(|network| gateways(&network)).collect();
    if found.is_empty() { vec![IN_CONTAINERS] } else { found }
}

/// What a container finds in its `resolv.conf` when it starts: `network.dns_server` where that is netd at a network of its.
pub(crate) fn chosen_name_servers(
    services: &Services,
    record: &Record,
    endpoints: &BTreeMap<String, Endpoint>,
) -> Vec<IpAddr> {
    let networks = endpoints.values().filter_map(|endpoint| services.networks.find(&endpoint.network).ok());
    let near: Vec<IpAddr> = networks.flat_map(|network| gateways(&network)).collect();
    match services.settings().network.dns_server.filter(|server| near.contains(server)) {
        Some(server) => vec![server],
        None => name_servers(services, record, endpoints),
    }
}

/// Whether netd answers at an address: in containers, or at a network's gateway.
pub(crate) fn is_own(services: &Services, server: IpAddr) -> bool {
    server == IN_CONTAINERS
        || services.networks.list().iter().any(|network| gateways(network).contains(&server))
}

/// Whether its image or user says that it serves names: its program will want that port of all addresses, so netd must not
/// have it on one.
fn answers_names_itself(record: &Record) -> bool {
    let network = &record.spec.network;
    let published = network.published.iter().map(|binding| &binding.container);
    network.exposed.ranges().iter().chain(published).any(|range| (range.first..=range.last).contains(&PORT))
}

/// A network's record; none for those that nobody has a namespace of its own on.
pub(super) fn network(services: &Services, network: &Network) -> Option<protocol::Network> {
    match network.driver {
        Driver::Host | Driver::Null => None,
        Driver::Bridge | Driver::Macvlan | Driver::Ipvlan | Driver::Cni => Some(protocol::Network {
            id: network.id.to_string(),
            name: network.name.clone(),
            gateways: gateways(network),
            internal: network.internal,
            bridge: services.networks.table_part(network).map(bridge),
        }),
    }
}

fn bridge(part: TablePart) -> protocol::Bridge {
    let TablePart { table, respects_firewall, rules } = part;
    let BridgeRules { bridge: device, subnets, masquerade, hairpin, internal: _ } = rules;
    protocol::Bridge { table, respects_firewall, device, subnets, masquerade, hairpin }
}

/// The addresses of its bridge.
fn gateways(network: &Network) -> Vec<IpAddr> {
    let ranges = network.ipam.config.iter().filter(|_| network.driver == Driver::Bridge);
    ranges.filter_map(|range| range.gateway).collect()
}

/// A container's record, its process aside.
pub(super) fn container(
    services: &Services,
    record: &Record,
    endpoints: &BTreeMap<String, Endpoint>,
) -> protocol::Container {
    let dns = &record.spec.network.dns;
    let endpoint = |endpoint: &Endpoint| protocol::Endpoint {
        network: endpoint.network_id.to_string(),
        addresses: [endpoint.ipv4, endpoint.ipv6].into_iter().flatten().map(|one| one.address).collect(),
        names: endpoint.dns_names.clone(),
    };
    protocol::Container {
        id: record.id.to_string(),
        endpoints: networks::ranked(endpoints.values()).into_iter().map(endpoint).collect(),
        links: links(services, record),
        hosts: hosts(&record.spec.network.extra_hosts),
        servers: reachable_servers(services, record, endpoints),
        ndots_chosen: files::ndots_is_chosen(&crate::container::host_resolv_conf(), dns),
        loopback: asks_netd(record) && name_servers(services, record, endpoints) == [IN_CONTAINERS],
        ports: endpoints.values().flat_map(ports).collect(),
        process: None,
        namespace: None,
    }
}

/// What netd carries to a container, since the kernel does not translate it.
pub fn carried(record: &Record) -> impl Iterator<Item = protocol::Port> {
    record.endpoints.values().flat_map(ports).filter(protocol::Port::is_carried)
}

/// What is published of it.
fn ports(endpoint: &Endpoint) -> Vec<protocol::Port> {
    let port = |rule: PortRule| {
        let PortRule { host, protocol, first, last, target, target_port } = rule;
        protocol::Port { host, protocol, first, last, target, target_port }
    };
    let mut ports: Vec<_> = endpoint.port_rules().map(port).collect();
    // Neighbours are one: a message has room for some thousand.
    ports.sort_by_key(|port| (port.host, port.protocol, port.target, port.first));
    ports.dedup_by(|next, before| {
        let same = (next.host, next.protocol, next.target) == (before.host, before.protocol, before.target);
        let follows = before.last.checked_add(1) == Some(next.first)
            && (next.target_port.checked_sub(before.target_port)) == next.first.checked_sub(before.first);
        if same && follows {
            before.last = next.last;
        }
        same && follows
    });
    ports
}

/// Whether netd has something to do for a container: it asks for names, or has ports.
pub(crate) fn concerns_netd(record: &Record, endpoints: &BTreeMap<String, Endpoint>) -> bool {
    asks_netd(record) || endpoints.values().any(|endpoint| !endpoint.ports.is_empty())
}

/// Its user's servers. netd asks them from the host: for one without a way out only those on its own networks.
fn reachable_servers(
    services: &Services,
    record: &Record,
    endpoints: &BTreeMap<String, Endpoint>,
) -> Vec<SocketAddr> {
    let networks = endpoints.values().filter_map(|endpoint| services.networks.find(&endpoint.network).ok());
    let networks: Vec<Network> = networks.collect();
    let inside = networks.iter().all(|network| network.internal);
    let near = |server: &IpAddr| {
        networks.iter().flat_map(|network| &network.ipam.config).any(|range| range.subnet.contains(server))
    };
    let servers = servers(record).filter(|server| !inside || near(server));
    servers.map(|server| SocketAddr::new(server, PORT)).collect()
}

/// Its links of both kinds: those of the default bridge, and those of a user's networks.
fn links(services: &Services, record: &Record) -> Vec<protocol::Link> {
    let legacy = crate::container::links::of(services, record).into_iter();
    let legacy =
        legacy.map(|link| protocol::Link { alias: link.alias, target: link.child.id().short().to_owned() });
    let named = record.spec.network.endpoints.values().flat_map(|endpoint| &endpoint.links);
    let named = named.map(|link| {
        let (target, alias) = link.split_once(':').unwrap_or((link, link));
        let found = services.containers.find(target).ok();
        let target = found.map_or_else(|| target.to_owned(), |found| found.id().short().to_owned());
        protocol::Link { alias: alias.to_owned(), target }
    });
    legacy.chain(named).collect()
}

/// What `--add-host` says, which `/etc/hosts` says too: not all programs read that.
fn hosts(extra: &[String]) -> Vec<protocol::Host> {
    // Those that can't be read were refused when the file was written.
    let read = extra.iter().filter_map(|text| files::extra_host(text).ok());
    let host = |(name, address): (&str, Option<IpAddr>)| protocol::Host {
        name: name.to_owned(),
        addresses: address.into_iter().collect(),
    };
    read.map(host).collect()
}

/// The process of this number; none if it has ended: then so has what is told of it.
pub(super) fn process(pid: u32) -> Option<protocol::Process> {
    protocol::Process::read(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}
