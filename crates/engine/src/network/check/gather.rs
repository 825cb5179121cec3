//! Looks up what is between two places, in the records and in the kernel.

use super::facts::{Barred, Facts, Led, Listening, Way};
use super::place::{Kind, Place};
use crate::Services;
use containers::Record;
use errors::Result;
use net::Namespace;
use networks::{Driver, Endpoint, Network, Published};
use spec::{ExposedPort, PortProtocol};
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

/// Of so many ports with listeners is told.
const MANY: usize = 8;

/// The way that was found, and who takes what comes along it.
struct Found {
    way: Way,
    address: Option<IpAddr>,
    names: Vec<String>,
    /// Whose namespace the packet ends in, at which of its addresses and ports.
    end: Option<(End, Option<IpAddr>, Option<ExposedPort>)>,
}

#[derive(Clone, Copy)]
enum End {
    Host,
    Process(u32),
}

pub(super) async fn gather(services: &Arc<Services>, from: &Place, to: &Place) -> Result<Facts> {
    let stopped = [from, to].into_iter().find_map(|place| match &place.kind {
        Kind::Stopped(name) => Some(name.clone()),
        _ => None,
    });
    let found = find(services, from, to);
    let crosses = matches!(found.way, Way::Out { .. } | Way::Published(_));
    let shut = if crosses { services.networks.shut_chains().await? } else { Vec::new() };
    let start = if found.way == Way::Same { None } else { end_of(from) };
    let (address, end) = (found.address, found.end);
    let (route, listening) = offload::blocking(move || -> net::Result<_> {
        let route = match (start, address) {
            (Some(start), Some(address)) => {
                Some(namespace(start)?.with_socket(|socket| net::choose(socket, address))?)
            }
            _ => None,
        };
        let listening = match end {
            Some((end, at, Some(port))) if port.protocol != PortProtocol::Sctp => {
                let number = if port.protocol == PortProtocol::Tcp { 6 } else { 17 };
                let all = namespace(end)?.run(|| Ok(net::listening::listeners(number)))?;
                listening(&all, at, port.port)
            }
            _ => Listening::Unknown,
        };
        Ok((route, listening))
    })
    .await?;
    let (from, to) = (from.words.clone(), to.words.clone());
    let (way, names) = (found.way, found.names);
    Ok(Facts { from, to, stopped, way, address, route, listening, names, shut })
}

fn find(services: &Services, from: &Place, to: &Place) -> Found {
    let end = end_of(to).map(|end| (end, to.address, to.port));
    let plain = |way, address| Found { way, address, names: Vec::new(), end };
    // Where no address was named.
    let own = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let led = || to.port.and_then(|port| led(services, from, to.address, port));
    match (&from.kind, &to.kind) {
        (Kind::Container(a), Kind::Container(b)) if a.id == b.id => {
            plain(Way::Same, Some(to.address.unwrap_or(own)))
        }
        (Kind::Container(_), Kind::Container(_)) => between(services, from, to, end),
        (Kind::Host, Kind::Container(_)) => {
            let (network, address) = reached(to, to.address).unzip();
            plain(hidden(services, network.as_deref()).unwrap_or(Way::FromHost { network }), address)
        }
        (Kind::World, Kind::Container(record)) => {
            plain(Way::Unpublished { published: published(record, to.port) }, to.address)
        }
        (Kind::Container(_) | Kind::Host | Kind::World, Kind::Host) => match (led(), &from.kind) {
            (Some(found), _) => found,
            (None, Kind::Container(_)) => {
                let (network, gateway) = gateway(services, from).unzip();
                let gateway = gateway.flatten();
                let way = hidden(services, network.as_deref()).unwrap_or(Way::ToHost { network });
                plain(way, to.address.or(gateway))
            }
            (None, Kind::Host) if to.port.is_none() => plain(Way::Same, Some(to.address.unwrap_or(own))),
            (None, kind) => {
                let outside = matches!(kind, Kind::World);
                plain(Way::HostPort { outside }, Some(to.address.unwrap_or(own)))
            }
        },
        (Kind::Container(_), Kind::World) => {
            let somewhere = to.address.unwrap_or(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));
            plain(out(services, from), Some(somewhere))
        }
        _ => plain(Way::Foreign, to.address),
    }
}

/// The way between the host and a network of its devices or of plugins, if this is one.
fn hidden(services: &Services, network: Option<&str>) -> Option<Way> {
    let network = services.networks.find(network?).ok()?;
    match network.driver {
        Driver::Macvlan | Driver::Ipvlan => Some(Way::Hidden { network: network.name }),
        Driver::Cni => Some(Way::Plugged { network: network.name }),
        Driver::Bridge | Driver::Host | Driver::Null => None,
    }
}

/// Two containers with namespaces of their own.
fn between(
    services: &Services,
    from: &Place,
    to: &Place,
    end: Option<(End, Option<IpAddr>, Option<ExposedPort>)>,
) -> Found {
    let (own, others) = (from.endpoints(), to.endpoints());
    let meets = |other: &&&Endpoint| own.iter().any(|one| one.network_id == other.network_id);
    let at = |endpoint: &Endpoint| address_of(endpoint, to.address);
    let shared = others.iter().filter(meets).filter_map(|other| Some((*other, at(other)?)));
    let known = shared.filter_map(|(other, address)| {
        let network = services.networks.find(other.network_id.as_str()).ok()?;
        Some((other, address, network))
    });
    // One that lets them talk is as good as another.
    let best = known.max_by_key(|(_, _, network)| network.lets_neighbours_talk());
    let Some((other, address, network)) = best else {
        let names = |endpoints: &[&Endpoint]| {
            let bridged = endpoints.iter().filter(|endpoint| address_of(endpoint, None).is_some());
            bridged.map(|endpoint| endpoint.network.clone()).collect()
        };
        let published = match &to.kind {
            Kind::Container(record) => published(record, to.port),
            _ => None,
        };
        let way = Way::Apart { from: names(&own), to: names(&others), published };
        return Found { way, address: None, names: Vec::new(), end };
    };
    let names = if network.is_predefined() { Vec::new() } else { other.dns_names.clone() };
    let way = Way::Shared { network: network.name.clone(), talk: network.lets_neighbours_talk() };
    let end = end.map(|(end, _, port)| (end, Some(address), port));
    Found { way, address: Some(address), names, end }
}

/// How a container leaves the host.
fn out(services: &Services, from: &Place) -> Way {
    let endpoints = from.endpoints();
    let network_of = |endpoint: &Endpoint| -> Option<Network> {
        services.networks.find(endpoint.network_id.as_str()).ok()
    };
    if let Some(endpoint) = networks::default_route(endpoints.iter().copied()) {
        let network = network_of(endpoint);
        if network.as_ref().is_some_and(|network| network.driver == Driver::Cni) {
            return Way::Plugged { network: endpoint.network.clone() };
        }
        let masquerade = network.is_some_and(|network| network.masquerades());
        return Way::Out { network: Some(endpoint.network.clone()), internal: false, masquerade };
    }
    let network = endpoints.into_iter().find(|endpoint| address_of(endpoint, None).is_some());
    Way::Out { network: network.map(|endpoint| endpoint.network.clone()), internal: true, masquerade: false }
}

/// Where a port of the host leads, if it leads to a container.
fn led(services: &Services, from: &Place, address: Option<IpAddr>, port: ExposedPort) -> Option<Found> {
    let records = services.containers.all().into_iter().map(|container| container.record());
    let matches = |one: &Published| {
        let meant = address.is_none_or(|address| {
            one.host == address || (one.host.is_unspecified() && one.host.is_ipv4() == address.is_ipv4())
        });
        meant && one.protocol == port.protocol && (one.first..=one.last).contains(&port.port)
    };
    let (record, endpoint, one) =
        records.into_iter().filter(|record| record.state.is_live()).find_map(|record| {
            let mut ports =
                record.endpoints.values().flat_map(|end| end.ports.iter().map(move |one| (end, one)));
            let (endpoint, one) =
                ports.find(|(_, one)| matches(one)).map(|(end, one)| (end.clone(), *one))?;
            Some((record, endpoint, one))
        })?;
    let inside = one.container + (port.port - one.first);
    let internal = match (&from.kind, out(services, from)) {
        (Kind::Container(_), Way::Out { network: Some(network), internal: true, .. }) => Some(network),
        _ => None,
    };
    let barred = match from.kind {
        Kind::Host => None,
        _ if one.host.is_loopback() => Some(Barred::Loopback),
        _ => internal.map(Barred::Internal),
    };
    let host = SocketAddr::new(one.host, port.port);
    let led = Led { host, container: record.name.to_string(), port: inside, barred };
    let target = if one.host.is_ipv4() { endpoint.ipv4 } else { endpoint.ipv6 };
    let inside = ExposedPort { port: inside, protocol: port.protocol };
    let end = record.state.pid().map(|pid| (End::Process(pid), target.map(|it| it.address), Some(inside)));
    let towards = address.or_else(|| match from.kind {
        Kind::Container(_) => gateway(services, from).and_then(|(_, gateway)| gateway),
        _ => Some(one.host).filter(|host| !host.is_unspecified()),
    });
    let own = if one.host.is_ipv4() { Ipv4Addr::LOCALHOST.into() } else { Ipv6Addr::LOCALHOST.into() };
    Some(Found { way: Way::Published(led), address: Some(towards.unwrap_or(own)), names: Vec::new(), end })
}

/// A network of the container, the one that its default route leads to if it has one, and the host's address on it.
fn gateway(services: &Services, from: &Place) -> Option<(String, Option<IpAddr>)> {
    let endpoints = from.endpoints();
    let best = networks::default_route(endpoints.iter().copied());
    let bridged = endpoints.iter().copied().find(|endpoint| address_of(endpoint, None).is_some());
    let endpoint = best.or(bridged)?;
    let network = services.networks.find(endpoint.network_id.as_str()).ok()?;
    let plugged = [endpoint.ipv4, endpoint.ipv6].into_iter().flatten().find_map(|assigned| assigned.gateway);
    let gateway = network.ipam.config.iter().find_map(|range| range.gateway).or(plugged);
    Some((network.name, gateway))
}

/// A network on which the container has an address (this one, if one was named), and the address.
fn reached(to: &Place, wanted: Option<IpAddr>) -> Option<(String, IpAddr)> {
    let mut endpoints = to.endpoints().into_iter();
    endpoints.find_map(|endpoint| Some((endpoint.network.clone(), address_of(endpoint, wanted)?)))
}

fn address_of(endpoint: &Endpoint, wanted: Option<IpAddr>) -> Option<IpAddr> {
    let own = [endpoint.ipv4, endpoint.ipv6].into_iter().flatten().map(|assigned| assigned.address);
    own.into_iter().find(|own| wanted.is_none_or(|wanted| wanted == *own))
}

/// Where the host publishes a container's port.
fn published(record: &Record, port: Option<ExposedPort>) -> Option<String> {
    let port = port?;
    let mut ports = record.endpoints.values().flat_map(|endpoint| &endpoint.ports);
    ports.find_map(|one| {
        let number = one.host_port(port.port).filter(|_| one.protocol == port.protocol)?;
        let host = if one.host.is_unspecified() { "host".to_owned() } else { one.host.to_string() };
        Some(format!("{host}:{number}/{}", port.protocol.as_str()))
    })
}

fn end_of(place: &Place) -> Option<End> {
    match &place.kind {
        Kind::Container(record) => record.state.pid().map(End::Process),
        Kind::Host => Some(End::Host),
        Kind::World | Kind::Stopped(_) => None,
    }
}

fn namespace(end: End) -> net::Result<Namespace> {
    match end {
        End::Host => Namespace::current(),
        End::Process(pid) => Namespace::of_process(pid),
    }
}

/// Whether somebody takes what comes to a port at an address; none: at any.
pub(super) fn listening(all: &[SocketAddr], at: Option<IpAddr>, port: u16) -> Listening {
    // netd's, which only the container itself can ask.
    const NAMES: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 11));
    let all = all.iter().filter(|one| one.ip() != NAMES);
    let here: Vec<IpAddr> = all.clone().filter(|one| one.port() == port).map(SocketAddr::ip).collect();
    // A socket of all IPv6 addresses takes IPv4 too, unless its program asks for less.
    let takes = |one: &IpAddr| one.is_unspecified() || at.is_none_or(|at| *one == at);
    if here.iter().any(takes) {
        return Listening::Yes;
    }
    if here.is_empty() {
        let others: BTreeSet<u16> = all.map(SocketAddr::port).collect();
        return Listening::No(others.into_iter().take(MANY).collect());
    }
    Listening::Elsewhere(here)
}
