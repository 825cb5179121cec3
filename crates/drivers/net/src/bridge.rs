//! Bridges, and containers' devices on them.

use crate::link::{self, Link, VethEnd};
use crate::socket::Socket;
use crate::{Error, Mac, Namespace, Result, address, route, sysctl};
use ipnet::IpNet;
use netlink_packet_route::link::LinkAttribute;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::time::Duration;

/// How long an attachment waits for its device to pass packets; a kernel under load takes milliseconds.
pub(crate) const OPERATIONAL_LIMIT: Duration = Duration::from_millis(100);

/// What a bridge should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeConfig {
    /// Its name.
    pub name: String,
    /// Written on it as its alias; a bridge of the same name without it is somebody else's.
    pub owner: String,
    /// Its addresses, the gateways of their subnets.
    pub addresses: Vec<IpNet>,
    /// The largest packet, in bytes.
    pub mtu: u32,
    /// Whether its ports reach each other; the bridge itself they always do.
    pub isolated: bool,
}

/// A bridge that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    name: String,
    index: u32,
    mtu: u32,
    isolated: bool,
}

/// A container's device, and what it has inside.
#[derive(Debug, Clone, Copy)]
pub struct Attachment<'a> {
    /// The end on the bridge.
    pub outer: &'a str,
    /// The end in the container, its device `name`.
    pub inner: &'a str,
    /// The inner end's Ethernet address.
    pub mac: Mac,
    /// Whether the neighbours are told of it: they may know another one that had the same address before.
    pub announced: bool,
    /// The device's MTU, bytes; none: the bridge's, or the parent's.
    pub mtu: Option<u32>,
    /// Whether the inner end has IPv6, where its namespace was prepared otherwise.
    pub ipv6: Option<bool>,
    /// Addresses with their subnets' prefix lengths.
    pub addresses: &'a [IpNet],
    /// Default routes, at most one for each family.
    pub gateways: &'a [IpAddr],
}

impl Bridge {
    /// Makes the bridge, or brings the one that this engine has made earlier to what `config` says.
    ///
    /// # Errors
    /// [`Error::ForeignDevice`] when the name belongs to a device without the owner's mark.
    pub fn ensure(socket: &mut Socket, config: &BridgeConfig, mac: Mac) -> Result<Self> {
        link::check_name(&config.name)?;
        let link = match link::find(socket, &config.name)? {
            Some(link) => owned(link, config)?,
            None => create(socket, config, mac)?,
        };
        let ipv6 = config.addresses.iter().any(|address| address.addr().is_ipv6());
        set_ipv6(&config.name, ipv6)?;
        set_addresses(socket, &link, &config.addresses)?;
        if link.mtu != config.mtu {
            let operation = format!("set the MTU of the bridge {} to {}", config.name, config.mtu);
            socket.batch(vec![link::change(
                operation,
                &config.name,
                vec![LinkAttribute::Mtu(config.mtu)],
            )])?;
        }
        if !link.up {
            socket.batch(vec![link::up(link.index, &link.name)])?;
        }
        Ok(Self { name: link.name, index: link.index, mtu: config.mtu, isolated: config.isolated })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The devices on it.
    pub fn ports(&self, socket: &mut Socket) -> Result<Vec<Link>> {
        link::list(socket, Some(self.index))
    }

    /// Brings a device back that was on an earlier bridge of this name. Says whether it was not here; one that is gone has
    /// nothing to come back.
    pub fn take(&self, socket: &mut Socket, device: &str) -> Result<bool> {
        let Some(link) = link::find(socket, device)? else { return Ok(false) };
        if link.master == Some(self.index) && link.up {
            return Ok(false);
        }
        let operation = format!("bring the device {device} to the bridge {}", self.name);
        let mut requests = vec![link::change(operation, device, vec![LinkAttribute::Controller(self.index)])];
        requests.push(link::up(link.index, device));
        requests.extend(self.isolated.then(|| link::isolate(device)));
        socket.batch(requests)?;
        Ok(true)
    }

    /// Gives a namespace a device on this bridge that passes packets: two sends and three look-ups, no device is moved.
    /// Undone on failure.
    ///
    /// # Errors
    /// [`Error::Refused`], for which [`Error::is_exists`] says that the outer name is taken and [`Error::is_gone`]
    /// that the bridge has been deleted.
    pub fn attach(
        &self,
        socket: &mut Socket,
        namespace: &Namespace,
        attachment: &Attachment<'_>,
    ) -> Result<()> {
        let outer = VethEnd { name: attachment.outer, mac: None };
        let inner = VethEnd { name: attachment.inner, mac: Some(attachment.mac) };
        let bridge = (self.name.as_str(), self.index);
        let mut requests = vec![link::new_veth(bridge, outer, inner, namespace.as_fd(), self.mtu)];
        requests.extend(self.isolated.then(|| link::isolate(attachment.outer)));
        socket.batch(requests).map_err(|error| self.explain(socket, error))?;
        let configured = set_parameters(namespace, attachment)
            .and_then(|()| namespace.with_socket(|inside| configure(inside, attachment)))
            .and_then(|()| self.wait_operational(socket, attachment.outer));
        if configured.is_err()
            && let Err(error) = link::delete(socket, attachment.outer)
        {
            tracing::warn!(error = %errors::chain(&error), "a device of a failed attachment is left over");
        }
        configured
    }

    /// The port first, as the bridge has a carrier when one of its ports has. Otherwise a container that is quick loses
    /// its first packet, and its first connection waits a second for the next.
    fn wait_operational(&self, socket: &mut Socket, port: &str) -> Result<()> {
        link::wait_operational(socket, port, OPERATIONAL_LIMIT)?;
        link::wait_operational(socket, &self.name, OPERATIONAL_LIMIT)
    }

    /// The kernel says "exchange full" when a master has no room, and "invalid argument" when it is not there.
    fn explain(&self, socket: &mut Socket, error: Error) -> Error {
        if error.is_full() {
            return Error::BridgeFull { bridge: self.name.clone() };
        }
        match link::find(socket, &self.name) {
            Ok(found) if found.as_ref().map(|link| link.index) != Some(self.index) => {
                Error::NoDevice { device: self.name.clone() }
            }
            _ => error,
        }
    }

    /// Deletes the devices on it, then the bridge itself. Not an error when it is gone.
    pub fn remove(socket: &mut Socket, name: &str, owner: &str) -> Result<()> {
        let Some(link) = link::find(socket, name)? else { return Ok(()) };
        if link.alias.as_deref() != Some(owner) {
            return Err(Error::ForeignDevice { device: name.to_owned() });
        }
        for port in link::list(socket, Some(link.index))? {
            link::delete(socket, &port.name)?;
        }
        link::delete(socket, name)
    }
}

fn owned(link: Link, config: &BridgeConfig) -> Result<Link> {
    if link.kind.as_deref() == Some("bridge") && link.alias.as_deref() == Some(config.owner.as_str()) {
        Ok(link)
    } else {
        Err(Error::ForeignDevice { device: link.name })
    }
}

/// The address is set, as a bridge otherwise takes the lowest of its ports' and changes it with them.
fn create(socket: &mut Socket, config: &BridgeConfig, mac: Mac) -> Result<Link> {
    let operation = format!("mark the bridge {} as this engine's", config.name);
    let mark = vec![LinkAttribute::IfAlias(config.owner.clone())];
    socket.batch(vec![link::new_bridge(&config.name, mac), link::change(operation, &config.name, mark)])?;
    link::get(socket, &config.name)
}

/// Without IPv6 the bridge needs no link-local address; with it, it must not listen to containers' advertisements, nor wait
/// for a neighbour that has its address already: as long as it does, the kernel forwards to no container.
fn set_ipv6(name: &str, ipv6: bool) -> Result<()> {
    let parameters = if ipv6 {
        vec![("accept_ra", "0"), ("accept_dad", "0"), ("disable_ipv6", "0")]
    } else {
        vec![("disable_ipv6", "1")]
    };
    for (parameter, value) in parameters {
        match sysctl::ensure(&format!("ipv6/conf/{name}/{parameter}"), value) {
            // A kernel without IPv6, or a read-only /proc/sys: only an address of that family would miss it.
            Err(Error::Sysctl { .. }) if !ipv6 => {}
            outcome => drop(outcome?),
        }
    }
    Ok(())
}

fn set_addresses(socket: &mut Socket, link: &Link, wanted: &[IpNet]) -> Result<()> {
    let present: Vec<IpNet> = address::list(socket)?
        .into_iter()
        .filter(|entry| entry.index == link.index && !address::is_link_local(entry.address.addr()))
        .map(|entry| entry.address)
        .collect();
    let stale = present.iter().filter(|address| !wanted.contains(address));
    let mut requests: Vec<_> = stale.map(|stale| address::remove(link.index, &link.name, *stale)).collect();
    let missing = wanted.iter().filter(|address| !present.contains(address));
    requests.extend(missing.map(|missing| address::add(link.index, &link.name, *missing)));
    if requests.is_empty() { Ok(()) } else { socket.batch(requests) }
}

/// What only a file in the namespace's `/proc` can say, before the device goes up.
pub(crate) fn set_parameters(namespace: &Namespace, attachment: &Attachment<'_>) -> Result<()> {
    let disable_ipv6 = format!("ipv6/conf/{}/disable_ipv6", attachment.inner);
    let mut parameters = Vec::new();
    // To every port of a bridge, so only where a neighbour may know the address as somebody else's.
    parameters.extend(attachment.announced.then_some(("ipv4/conf/default/arp_notify", "1")));
    parameters.extend(attachment.ipv6.map(|wanted| (disable_ipv6.as_str(), if wanted { "0" } else { "1" })));
    if parameters.is_empty() { Ok(()) } else { namespace.set_parameters(&parameters) }
}

/// The address comes before the device goes up, so that the neighbours are told of it.
pub(crate) fn configure(socket: &mut Socket, attachment: &Attachment<'_>) -> Result<()> {
    let device = attachment.inner;
    let index = link::Status::of(socket, device)?.index;
    let addresses = attachment.addresses.iter().map(|wanted| address::add(index, device, *wanted));
    let mut requests: Vec<_> = addresses.collect();
    requests.push(link::up(index, device));
    requests.extend(attachment.gateways.iter().map(|gateway| route::add_default(index, device, *gateway)));
    socket.batch(requests)
}
