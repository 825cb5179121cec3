//! Routes: the default route of a namespace, and which ranges are taken on this host.

use crate::socket::{Request, Socket};
use crate::{Namespace, Result, address, link};
use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteHeader, RouteMessage, RouteProtocol, RouteScope, RouteType,
};
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::net::IpAddr;

/// Routes wider than this count as default routes: VPNs write 0.0.0.0/1 and 128.0.0.0/1 to mean "everything".
const WIDEST_PREFIX: u8 = 8;

/// A range that something on this host uses already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Occupied {
    /// The range.
    pub subnet: IpNet,
    /// Who uses it.
    pub by: Occupant,
}

/// Who uses a range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occupant {
    /// A route; the device it leaves by, if it has one.
    Route(Option<String>),
    /// An address of this device.
    Address(String),
    /// A resolver of the host.
    NameServer,
    /// Something that the kernel does not know: what, in words.
    Other(String),
}

impl fmt::Display for Occupied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            Occupant::Route(Some(device)) => write!(f, "the route {} by the device {device}", self.subnet),
            Occupant::Route(None) => write!(f, "the route {}", self.subnet),
            Occupant::Address(device) => write!(f, "the address {} of the device {device}", self.subnet),
            Occupant::Other(what) => write!(f, "{what} ({})", self.subnet),
            Occupant::NameServer => write!(f, "the host's name server {}", self.subnet.addr()),
        }
    }
}

/// Every range that a route or an address of this namespace uses, except those of the device `own`.
pub fn occupied(socket: &mut Socket, own: Option<&str>) -> Result<Vec<Occupied>> {
    let is_own = |name: &String| own == Some(name.as_str());
    let mut routes = routes(socket)?;
    let mut addresses = address::list(socket)?;
    // Every device has such a range of its own.
    let is_wide = |range: &IpNet| !address::is_link_local(range.addr());
    routes.retain(|route| route.destination.prefix_len() >= WIDEST_PREFIX && is_wide(&route.destination));
    addresses.retain(|one| is_wide(&one.address));
    // Of these alone: a host with containers has thousands of devices.
    let mut names = BTreeMap::new();
    for index in routes.iter().filter_map(|route| route.device).chain(addresses.iter().map(|one| one.index)) {
        if let Entry::Vacant(unknown) = names.entry(index) {
            let link = link::numbered(socket, index)?;
            unknown.insert(link.map_or_else(|| format!("number {index}"), |link| link.name));
        }
    }
    let name = |index: u32| names.get(&index).cloned().unwrap_or_default();
    let mut found: Vec<Occupied> = routes
        .into_iter()
        .map(|route| Occupied { subnet: route.destination, by: Occupant::Route(route.device.map(name)) })
        .filter(|occupied| !matches!(&occupied.by, Occupant::Route(Some(name)) if is_own(name)))
        .collect();
    found.extend(
        addresses
            .into_iter()
            .map(|entry| Occupied { subnet: entry.address, by: Occupant::Address(name(entry.index)) })
            .filter(|occupied| !matches!(&occupied.by, Occupant::Address(name) if is_own(name))),
    );
    Ok(found)
}

/// The MTU of the device of the IPv4 default route, if there is one.
pub fn default_mtu(socket: &mut Socket) -> Result<Option<u32>> {
    let routes = routes(socket)?;
    match routes.iter().find(|route| route.is_default_v4()).and_then(|route| route.device) {
        Some(index) => Ok(link::numbered(socket, index)?.map(|link| link.mtu)),
        None => Ok(None),
    }
}

/// Sends everything without a route of its own to `gateway`.
pub(crate) fn add_default(index: u32, device: &str, gateway: IpAddr) -> Request {
    let message = default_by(index, gateway);
    let operation = format!("route by the gateway {gateway} on the device {device}");
    Request::new(operation, RouteNetlinkMessage::NewRoute(message), NLM_F_CREATE | NLM_F_EXCL)
}

/// Sends everything of a family without a route of its own out by the device.
pub(crate) fn add_default_by_device(index: u32, device: &str, v4: bool) -> Request {
    let message = default_by_device(index, v4);
    let operation = format!("route by the device {device}");
    Request::new(operation, RouteNetlinkMessage::NewRoute(message), NLM_F_CREATE | NLM_F_EXCL)
}

fn default_by_device(index: u32, v4: bool) -> RouteMessage {
    let any = if v4 { IpAddr::from([0; 4]) } else { IpAddr::from([0; 16]) };
    let mut message = default_by(index, any);
    if v4 {
        message.header.scope = RouteScope::Link;
    }
    message.attributes = vec![RouteAttribute::Oif(index)];
    message
}

/// The default route of a container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DefaultRoute<'a> {
    /// The device that it leaves by.
    pub device: &'a str,
    /// Where it leads; none: to whom it may concern, on the device.
    pub gateway: Option<IpAddr>,
    /// Its family.
    pub v4: bool,
}

/// Makes these the default routes of a namespace, one of a family at most, in place of those that it has.
///
/// # Errors
/// [`crate::Error::NoDevice`], and what the kernel refuses.
pub fn set_defaults(namespace: &Namespace, wanted: &[DefaultRoute<'_>]) -> Result<()> {
    namespace.with_socket(|socket| {
        for route in routes(socket)?.into_iter().filter(|route| route.destination.prefix_len() == 0) {
            let Some(device) = route.device else { continue };
            let message = match route.gateway {
                Some(gateway) => default_by(device, gateway),
                None => default_by_device(device, route.destination.addr().is_ipv4()),
            };
            let operation = "take a default route away".to_owned();
            let message = RouteNetlinkMessage::DelRoute(message);
            match socket.batch(vec![Request::new(operation, message, 0)]) {
                Err(error) if !error.is_gone() => return Err(error),
                _ => {}
            }
        }
        for DefaultRoute { device, gateway, v4 } in wanted {
            let index = link::Status::of(socket, device)?.index;
            socket.batch(vec![match gateway {
                Some(gateway) => add_default(index, device, *gateway),
                None => add_default_by_device(index, device, *v4),
            }])?;
        }
        Ok(())
    })
}

/// Where the default routes of this namespace lead, IPv4 first.
pub fn default_gateways(socket: &mut Socket) -> Result<Vec<IpAddr>> {
    let defaults = routes(socket)?.into_iter().filter(|route| route.destination.prefix_len() == 0);
    Ok(defaults.filter_map(|route| route.gateway).collect())
}

fn default_by(index: u32, gateway: IpAddr) -> RouteMessage {
    let mut message = RouteMessage::default();
    message.header.address_family = address::family(gateway);
    message.header.table = RouteHeader::RT_TABLE_MAIN;
    message.header.protocol = RouteProtocol::Boot;
    message.header.scope = RouteScope::Universe;
    message.header.kind = RouteType::Unicast;
    message.attributes = vec![RouteAttribute::Gateway(gateway.into()), RouteAttribute::Oif(index)];
    message
}

struct Route {
    destination: IpNet,
    device: Option<u32>,
    gateway: Option<IpAddr>,
}

impl Route {
    fn is_default_v4(&self) -> bool {
        self.destination.addr().is_ipv4() && self.destination.prefix_len() == 0 && self.device.is_some()
    }
}

fn routes(socket: &mut Socket) -> Result<Vec<Route>> {
    let request = Request::new("list the routes", RouteNetlinkMessage::GetRoute(RouteMessage::default()), 0);
    let answers = socket.dump(&request)?;
    Ok(answers.iter().flat_map(read).collect())
}

/// Routes that take packets somewhere, or refuse them; not those of local and broadcast addresses. One with several ways, as
/// IPv6 makes of routes to one destination, is several.
fn read(message: &RouteNetlinkMessage) -> Vec<Route> {
    let RouteNetlinkMessage::NewRoute(message) = message else { return Vec::new() };
    let kinds = [RouteType::Unicast, RouteType::BlackHole, RouteType::Unreachable, RouteType::Prohibit];
    if !kinds.contains(&message.header.kind) {
        return Vec::new();
    }
    let (mut device, mut destination, mut ways) = (None, None, Vec::new());
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Oif(index) => device = Some(*index),
            RouteAttribute::MultiPath(hops) => {
                ways.extend(hops.iter().map(|hop| (Some(hop.interface_index), gateway(&hop.attributes))));
            }
            RouteAttribute::Destination(RouteAddress::Inet(v4)) => destination = Some(IpAddr::V4(*v4)),
            RouteAttribute::Destination(RouteAddress::Inet6(v6)) => destination = Some(IpAddr::V6(*v6)),
            _ => {}
        }
    }
    let any = match message.header.address_family {
        netlink_packet_route::AddressFamily::Inet => IpAddr::from([0; 4]),
        netlink_packet_route::AddressFamily::Inet6 => IpAddr::from([0; 16]),
        _ => return Vec::new(),
    };
    let length = message.header.destination_prefix_length;
    let Ok(destination) = IpNet::new(destination.unwrap_or(any), length) else { return Vec::new() };
    if ways.is_empty() {
        ways.push((device, gateway(&message.attributes)));
    }
    ways.into_iter().map(|(device, gateway)| Route { destination, device, gateway }).collect()
}

fn gateway(attributes: &[RouteAttribute]) -> Option<IpAddr> {
    attributes.iter().find_map(|attribute| match attribute {
        RouteAttribute::Gateway(RouteAddress::Inet(v4)) => Some(IpAddr::V4(*v4)),
        RouteAttribute::Gateway(RouteAddress::Inet6(v6)) => Some(IpAddr::V6(*v6)),
        _ => None,
    })
}
