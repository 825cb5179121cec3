//! Devices that share the Ethernet of a device of the host: macvlan and ipvlan, and what they can stand on.
//!
//! Such a device is born in the container's namespace and goes with it: there is nothing of it on the host.

use crate::bridge::{self, Attachment, OPERATIONAL_LIMIT};
use crate::link;
use crate::socket::{Request, Socket};
use crate::{Error, Namespace, Result, route};
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoIpVlan, InfoKind, InfoMacVlan, InfoVeth, InfoVlan, IpVlanFlags, IpVlanMode, LinkAttribute,
    LinkInfo, LinkMessage, MacVlanMode,
};
use std::os::fd::{AsFd, AsRawFd};

/// What kind of device containers get, and whom it lets them reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Branch {
    /// With an Ethernet address of its own.
    Macvlan(Macvlan),
    /// With the parent's Ethernet address.
    Ipvlan(Ipvlan, IpvlanFlag),
}

/// Modes of macvlan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Macvlan {
    /// Those of one parent reach each other.
    Bridge,
    /// They do not.
    Private,
    /// By a switch outside that sends packets back.
    Vepa,
    /// The only one of its parent.
    Passthru,
}

/// Modes of ipvlan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ipvlan {
    /// One Ethernet.
    L2,
    /// Routed, without broadcasts.
    L3,
    /// As L3, by way of the host's packet filter.
    L3s,
}

/// Whom those of one ipvlan parent reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IpvlanFlag {
    /// Each other.
    Bridge,
    /// Nobody of them.
    Private,
    /// By a switch outside.
    Vepa,
}

impl Branch {
    fn kind(self) -> InfoKind {
        match self {
            Self::Macvlan(_) => InfoKind::MacVlan,
            Self::Ipvlan(..) => InfoKind::IpVlan,
        }
    }

    fn data(self) -> InfoData {
        match self {
            Self::Macvlan(mode) => InfoData::MacVlan(vec![InfoMacVlan::Mode(match mode {
                Macvlan::Bridge => MacVlanMode::Bridge,
                Macvlan::Private => MacVlanMode::Private,
                Macvlan::Vepa => MacVlanMode::Vepa,
                Macvlan::Passthru => MacVlanMode::Passthrough,
            })]),
            Self::Ipvlan(mode, flag) => InfoData::IpVlan(vec![
                InfoIpVlan::Mode(match mode {
                    Ipvlan::L2 => IpVlanMode::L2,
                    Ipvlan::L3 => IpVlanMode::L3,
                    Ipvlan::L3s => IpVlanMode::L3S,
                }),
                InfoIpVlan::Flags(match flag {
                    IpvlanFlag::Bridge => IpVlanFlags::empty(),
                    IpvlanFlag::Private => IpVlanFlags::Private,
                    IpvlanFlag::Vepa => IpVlanFlags::Vepa,
                }),
            ]),
        }
    }
}

/// Whether the kernel has such devices: it loads the module if it can.
///
/// # Errors
/// [`Error::NoModule`].
pub fn check_kernel(socket: &mut Socket, branch: Branch) -> Result<()> {
    check_kind(socket, branch.kind())
}

/// A kernel that has the kind misses the parent, which is not given.
fn check_kind(socket: &mut Socket, kind: InfoKind) -> Result<()> {
    let mut message = LinkMessage::default();
    let name = kind.to_string();
    message.attributes.push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(kind)]));
    let operation = format!("ask for devices of the kind {name}");
    let request = Request::new(operation, RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL);
    match socket.batch(vec![request]) {
        Err(error) if error.is_unsupported() => {
            let module = if name == "vlan" { "8021q".to_owned() } else { name.clone() };
            Err(Error::NoModule { kind: name, module })
        }
        Err(Error::Refused { .. }) | Ok(()) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Gives a namespace a device on `parent`: `attachment.outer` and, with ipvlan, the Ethernet address mean nothing. With
/// `by_device` the default routes leave by the device without a gateway. Undone on failure.
///
/// # Errors
/// [`Error::NoDevice`] for the parent, what the kernel refuses.
pub fn attach(
    socket: &mut Socket,
    parent: &str,
    branch: Branch,
    namespace: &Namespace,
    attachment: &Attachment<'_>,
    by_device: bool,
) -> Result<()> {
    let parent = link::get(socket, parent)?;
    let mut message = link::named(attachment.inner);
    message.attributes.push(LinkAttribute::Link(parent.index));
    message.attributes.push(LinkAttribute::NetNsFd(namespace.as_fd().as_raw_fd()));
    if matches!(branch, Branch::Macvlan(_)) {
        message.attributes.push(LinkAttribute::Address(attachment.mac.octets().to_vec()));
    }
    message.attributes.extend(attachment.mtu.map(LinkAttribute::Mtu));
    let kind = branch.kind();
    let operation = format!("make the {kind} device {} on {}", attachment.inner, parent.name);
    message
        .attributes
        .push(LinkAttribute::LinkInfo(vec![LinkInfo::Kind(kind), LinkInfo::Data(branch.data())]));
    socket.batch(vec![Request::new(
        operation,
        RouteNetlinkMessage::NewLink(message),
        NLM_F_CREATE | NLM_F_EXCL,
    )])?;
    let configured = bridge::set_parameters(namespace, attachment)
        .and_then(|()| namespace.with_socket(|inside| bridge::configure(inside, attachment)))
        .and_then(|()| if by_device { lead_out(namespace, attachment) } else { Ok(()) })
        .and_then(|()| {
            namespace
                .with_socket(|inside| link::wait_operational(inside, attachment.inner, OPERATIONAL_LIMIT))
        });
    if configured.is_err()
        && let Err(error) = detach(namespace, attachment.inner)
    {
        tracing::warn!(error = %errors::chain(&error), "a device of a failed attachment is left over");
    }
    configured
}

fn lead_out(namespace: &Namespace, attachment: &Attachment<'_>) -> Result<()> {
    namespace.with_socket(|inside| {
        let index = link::Status::of(inside, attachment.inner)?.index;
        let mut families: Vec<bool> = attachment.addresses.iter().map(|one| one.addr().is_ipv4()).collect();
        families.dedup();
        let routes = families.iter().map(|v4| route::add_default_by_device(index, attachment.inner, *v4));
        inside.batch(routes.collect())
    })
}

/// Deletes a container's device in its namespace; not an error when it is gone.
pub fn detach(namespace: &Namespace, device: &str) -> Result<()> {
    namespace.with_socket(|inside| link::delete(inside, device))
}

/// What a parent is made of that is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewParent {
    /// A VLAN of another device (IEEE 802.1Q).
    Vlan {
        /// The device.
        on: String,
        /// 1 to 4094.
        id: u16,
    },
    /// A device that leads nowhere: those on it reach each other.
    ///
    /// Docker takes a `dummy`, which not every kernel has. A pair of which nobody uses the other end always does it; a bridge
    /// without ports has a carrier only until something of it is changed.
    Island {
        /// The other end.
        peer: String,
    },
}

/// Makes a parent, if it is not there, and puts it up. What is made is marked as `owner`'s.
///
/// # Errors
/// [`Error::NoDevice`] for what a VLAN is on, [`Error::NoModule`] where the kernel has no VLANs.
pub fn ensure_parent(socket: &mut Socket, name: &str, new: &NewParent, owner: &str) -> Result<()> {
    link::check_name(name)?;
    if link::find(socket, name)?.is_some() {
        return Ok(());
    }
    let make = match new {
        NewParent::Island { peer } => new_pair(name, peer)?,
        NewParent::Vlan { on, id } => {
            check_kind(socket, InfoKind::Vlan)?;
            new_vlan(name, &link::get(socket, on)?, *id)
        }
    };
    let mark = vec![LinkAttribute::IfAlias(owner.to_owned())];
    socket.batch(vec![make, link::change(format!("mark the device {name} as this engine's"), name, mark)])?;
    let mut ends = vec![name];
    if let NewParent::Island { peer } = new {
        ends.push(peer);
    }
    let put_up = |socket: &mut Socket| -> Result<()> {
        for end in ends {
            let made = link::get(socket, end)?;
            socket.batch(vec![link::up(made.index, end)])?;
        }
        Ok(())
    };
    let up = put_up(socket);
    // A VLAN can't be up while what it is on is down.
    if up.is_err()
        && let Err(error) = link::delete(socket, name)
    {
        tracing::warn!(device = name, error = %errors::chain(&error), "a parent that can't be put up is left over");
    }
    up
}

fn new_pair(name: &str, peer: &str) -> Result<Request> {
    link::check_name(peer)?;
    let mut message = link::named(name);
    message.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::Kind(InfoKind::Veth),
        LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(link::named(peer)))),
    ]));
    let operation = format!("make the device {name}");
    Ok(Request::new(operation, RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL))
}

fn new_vlan(name: &str, on: &link::Link, id: u16) -> Request {
    let mut message = link::named(name);
    message.attributes.push(LinkAttribute::Link(on.index));
    message.attributes.push(LinkAttribute::LinkInfo(vec![
        LinkInfo::Kind(InfoKind::Vlan),
        LinkInfo::Data(InfoData::Vlan(vec![InfoVlan::Id(id)])),
    ]));
    let operation = format!("make the VLAN {id} of the device {}", on.name);
    Request::new(operation, RouteNetlinkMessage::NewLink(message), NLM_F_CREATE | NLM_F_EXCL)
}

/// Deletes a parent that `owner` has made; one of somebody else's stays.
pub fn remove_parent(socket: &mut Socket, name: &str, owner: &str) -> Result<()> {
    match link::find(socket, name)? {
        Some(found) if found.alias.as_deref() == Some(owner) => link::delete(socket, name),
        _ => Ok(()),
    }
}
