//! Which way the kernel sends a packet, asked of the kernel itself.

use crate::socket::{Request, Socket};
use crate::{Result, address, link};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage};
use std::net::IpAddr;

/// The way that a packet takes out of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The device that it leaves by.
    pub device: String,
    /// The neighbour that carries it on; none: its receiver is on the device's own link.
    pub gateway: Option<IpAddr>,
}

/// Asks for the way to an address (`ip route get`); none: there is no route.
///
/// # Errors
/// What the kernel refuses otherwise.
pub fn choose(socket: &mut Socket, to: IpAddr) -> Result<Option<Chosen>> {
    let mut message = RouteMessage::default();
    message.header.address_family = address::family(to);
    message.header.destination_prefix_length = if to.is_ipv4() { 32 } else { 128 };
    message.attributes = vec![RouteAttribute::Destination(to.into())];
    let request =
        Request::new(format!("ask for the route to {to}"), RouteNetlinkMessage::GetRoute(message), 0);
    let answer = match socket.get(request) {
        Err(error) if error.is_unreachable() => return Ok(None),
        answer => answer?,
    };
    let RouteNetlinkMessage::NewRoute(message) = answer else { return Ok(None) };
    let (mut device, mut gateway) = (None, None);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Oif(index) => device = Some(*index),
            RouteAttribute::Gateway(RouteAddress::Inet(v4)) => gateway = Some(IpAddr::V4(*v4)),
            RouteAttribute::Gateway(RouteAddress::Inet6(v6)) => gateway = Some(IpAddr::V6(*v6)),
            _ => {}
        }
    }
    let Some(index) = device else { return Ok(None) };
    Ok(link::numbered(socket, index)?.map(|link| Chosen { device: link.name, gateway }))
}
