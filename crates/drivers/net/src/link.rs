//! Devices: finding, making and deleting them.

mod read;

use crate::socket::{Request, Socket};
use crate::{Error, Mac, Result};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::link::{
    BridgePortState, InfoBridgePort, InfoData, InfoKind, InfoPortData, InfoPortKind, InfoVeth, LinkAttribute,
    LinkExtentMask, LinkFlags, LinkInfo, LinkMessage,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use std::os::fd::{AsRawFd, BorrowedFd};
use std::thread;
use std::time::{Duration, Instant};

/// The longest name that the kernel gives a device (`IFNAMSIZ` less its end).
pub const NAME_LIMIT: usize = 15;

/// A device of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its number in the namespace.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Its Ethernet address, if it has one.
    pub mac: Option<[u8; 6]>,
    /// The largest packet, in bytes.
    pub mtu: u32,
    /// Whether it is up.
    pub up: bool,
    /// Whether it passes packets (RFC 2863's `up`): a while after it was put up, when its other end is up too.
    pub operational: bool,
    /// `bridge`, `veth`, …; none for hardware and loopback.
    pub kind: Option<String>,
    /// The number of the bridge it is a port of.
    pub master: Option<u32>,
    /// What its maker wrote on it.
    pub alias: Option<String>,
}

/// One end of a pair, and where it is put.
#[derive(Debug, Clone, Copy)]
pub struct VethEnd<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its Ethernet address; none: the kernel draws one.
    pub mac: Option<Mac>,
}

/// Checks that `name` can name a device, in the words of the kernel's `dev_valid_name`, without its exotic letters.
///
/// # Errors
/// [`Error::BadName`].
pub fn check_name(name: &str) -> Result<()> {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    if letters && !name.is_empty() && name.len() <= NAME_LIMIT && name != "." && name != ".." {
        return Ok(());
    }
    let rule = "1 to 15 letters, digits, '_', '-' or '.'";
    Err(Error::BadName { name: name.to_owned(), what: "a network device", rule })
}

/// The device of this name, if there is one.
pub fn find(socket: &mut Socket, name: &str) -> Result<Option<Link>> {
    look_up(socket, format!("look up the device {name}"), named(name))
}

/// The device of this number, if there is one.
pub(crate) fn numbered(socket: &mut Socket, index: u32) -> Result<Option<Link>> {
    let mut message = LinkMessage::default();
    message.header.index = index;
    look_up(socket, format!("look up the device number {index}"), message)
}

fn look_up(socket: &mut Socket, operation: String, message: LinkMessage) -> Result<Option<Link>> {
    let request = Request::new(operation, RouteNetlinkMessage::GetLink(message), 0);
    match socket.get_with(request, Link::read) {
        Ok(link) => Ok(Some(link)),
        Err(error) if error.is_gone() => Ok(None),
        Err(error) => Err(error),
    }
}

/// The device of this name.
///
/// # Errors
/// [`Error::NoDevice`].
pub fn get(socket: &mut Socket, name: &str) -> Result<Link> {
    find(socket, name)?.ok_or_else(|| Error::NoDevice { device: name.to_owned() })
}

/// What the start of a container wants to know of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) index: u32,
    /// As [`Link::operational`].
    pub(crate) operational: bool,
}

impl Status {
    pub(crate) fn of(socket: &mut Socket, name: &str) -> Result<Self> {
        let message = RouteNetlinkMessage::GetLink(named(name));
        let request = Request::new(format!("look up the device {name}"), message, 0);
        socket.get_with(request, Self::read).map_err(|error| match error.is_gone() {
            true => Error::NoDevice { device: name.to_owned() },
            false => error,
        })
    }
}

/// All devices, or only the ports of a bridge.
pub fn list(socket: &mut Socket, bridge: Option<u32>) -> Result<Vec<Link>> {
    let mut message = LinkMessage::default();
    message.attributes.extend(bridge.map(LinkAttribute::Controller));
    // Without counters: 1,495 bytes a device instead of 1,863.
    message.attributes.push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
    let request = Request::new("list the devices", RouteNetlinkMessage::GetLink(message), 0);
    let mut links = socket.dump_with(&request, Link::read)?;
    links.retain(|link| bridge.is_none() || link.master == bridge);
    Ok(links)
}

/// Waits until the device passes packets; after `limit` it is left to itself.
///
/// A carrier that comes on takes effect in a queue of the kernel's own. To ask for the device is enough on kernels that
/// then see to it at once (6.13 and later); on others the answer comes a little later.
pub(crate) fn wait_operational(socket: &mut Socket, name: &str, limit: Duration) -> Result<()> {
    let deadline = Instant::now() + limit;
    while !Status::of(socket, name)?.operational {
        if Instant::now() >= deadline {
            tracing::debug!(device = name, "a device does not pass packets yet");
            break;
        }
        thread::sleep(Duration::from_micros(200));
    }
    Ok(())
}

/// Deletes a device and its peer; not an error when it is gone. Takes the kernel about 20 ms.
pub fn delete(socket: &mut Socket, name: &str) -> Result<()> {
    let request =
        Request::new(format!("delete the device {name}"), RouteNetlinkMessage::DelLink(named(name)), 0);
    match socket.batch(vec![request]) {
        Err(error) if error.is_gone() => Ok(()),
        outcome => outcome,
    }
}

/// Makes a pair whose inner end is born, down, in `namespace`, and whose outer end is an active port of `bridge`.
pub(crate) fn new_veth(
    bridge: (&str, u32),
    outer: VethEnd<'_>,
    inner: VethEnd<'_>,
    namespace: BorrowedFd<'_>,
    mtu: u32,
) -> Request {
    let mut peer = end(inner, mtu);
    peer.attributes.push(LinkAttribute::NetNsFd(namespace.as_raw_fd()));
    let mut message = end(outer, mtu);
    set_up(&mut message);
    message.attributes.push(LinkAttribute::Controller(bridge.1));
    message.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::Kind(InfoKind::Veth),
        LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
    ]));
    let operation = format!("make the device {} on the bridge {}", outer.name, bridge.0);
    Request::new(operation, RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
}

/// Makes a bridge, down and without an address.
pub(crate) fn new_bridge(name: &str, mac: Mac) -> Request {
    let mut message = named(name);
    message.attributes.push(LinkAttribute::Address(mac.octets().to_vec()));
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(InfoKind::Bridge)]));
    let operation = format!("make the bridge {name}");
    Request::new(operation, RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
}

/// Sets what `change` adds to the device of this name.
pub(crate) fn change(operation: String, name: &str, change: Vec<LinkAttribute>) -> Request {
    let mut message = named(name);
    message.attributes.extend(change);
    Request::new(operation, RouteNetlinkMessage::SetLink(message), 0)
}

/// Puts the device with this number up.
pub(crate) fn up(index: u32, name: &str) -> Request {
    let mut message = LinkMessage::default();
    message.header.index = index;
    set_up(&mut message);
    Request::new(format!("put the device {name} up"), RouteNetlinkMessage::SetLink(message), 0)
}

/// Stops a bridge from passing packets from and to this port. Quick, unlike taking it off or down.
pub(crate) fn fence(port: &str) -> Request {
    let disabled = InfoBridgePort::State(BridgePortState::Disabled);
    set_port(format!("cut off the device {port}"), port, disabled)
}

/// Stops a bridge from passing packets between this port and others that are isolated too.
pub(crate) fn isolate(port: &str) -> Request {
    set_port(format!("isolate the device {port}"), port, InfoBridgePort::Isolated(true))
}

/// Lets a bridge send packets back through the port that they came from: those of a container for a published port of its own,
/// where bridged packets pass the packet filter (`bridge-nf-call-iptables`).
pub fn reflect(socket: &mut Socket, port: &str) -> Result<()> {
    let operation = format!("let the device {port} reach its own published ports");
    socket.batch(vec![set_port(operation, port, InfoBridgePort::HairpinMode(true))])
}

fn set_port(operation: String, port: &str, data: InfoBridgePort) -> Request {
    let mut message = named(port);
    message.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::PortKind(InfoPortKind::Bridge),
        LinkInfo::PortData(InfoPortData::BridgePort(vec![data])),
    ]));
    Request::new(operation, RouteNetlinkMessage::NewLink(message), 0)
}

pub(crate) fn named(name: &str) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.interface_family = AddressFamily::Unspec;
    message.attributes.push(LinkAttribute::IfName(name.to_owned()));
    message
}

fn end(end: VethEnd<'_>, mtu: u32) -> LinkMessage {
    let mut message = named(end.name);
    message.attributes.push(LinkAttribute::Mtu(mtu));
    message.attributes.extend(end.mac.map(|mac| LinkAttribute::Address(mac.octets().to_vec())));
    message
}

fn set_up(message: &mut LinkMessage) {
    message.header.flags = LinkFlags::Up;
    message.header.change_mask = LinkFlags::Up;
}
