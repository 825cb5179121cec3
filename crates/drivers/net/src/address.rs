//! Addresses of devices.

use crate::Result;
use crate::socket::{Request, Socket};
use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::address::{AddressAttribute, AddressHeaderFlags, AddressMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use std::net::IpAddr;

/// An address of a device, with the prefix length of its subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Address {
    /// The device's number.
    pub index: u32,
    /// The address in its subnet.
    pub address: IpNet,
}

/// All addresses of the namespace, of both families.
pub fn list(socket: &mut Socket) -> Result<Vec<Address>> {
    let request =
        Request::new("list the addresses", RouteNetlinkMessage::GetAddress(AddressMessage::default()), 0);
    let answers = socket.dump(&request)?;
    Ok(answers.iter().filter_map(read).collect())
}

/// Gives a device an address. IPv6 addresses are used at once, without asking for duplicates: the engine gave them out.
pub(crate) fn add(index: u32, device: &str, address: IpNet) -> Request {
    let mut message = message(index, address);
    match address {
        IpNet::V4(v4) => message.attributes.push(AddressAttribute::Broadcast(v4.broadcast())),
        IpNet::V6(_) => message.header.flags = AddressHeaderFlags::Nodad,
    }
    let operation = format!("give the device {device} the address {address}");
    Request::new(operation, RouteNetlinkMessage::NewAddress(message), NLM_F_CREATE | NLM_F_EXCL)
}

/// Takes an address from a device.
pub(crate) fn remove(index: u32, device: &str, address: IpNet) -> Request {
    let operation = format!("take the address {address} from the device {device}");
    Request::new(operation, RouteNetlinkMessage::DelAddress(message(index, address)), 0)
}

fn message(index: u32, address: IpNet) -> AddressMessage {
    let mut message = AddressMessage::default();
    message.header.family = family(address.addr());
    message.header.prefix_len = address.prefix_len();
    message.header.index = index;
    message.attributes =
        vec![AddressAttribute::Local(address.addr()), AddressAttribute::Address(address.addr())];
    message
}

pub(crate) fn family(address: IpAddr) -> AddressFamily {
    if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 }
}

pub(crate) fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

fn read(message: &RouteNetlinkMessage) -> Option<Address> {
    let RouteNetlinkMessage::NewAddress(message) = message else { return None };
    let mut local = None;
    for attribute in &message.attributes {
        match attribute {
            // On a point-to-point device `Address` is the other end's.
            AddressAttribute::Local(address) => local = Some(*address),
            AddressAttribute::Address(address) => local = local.or(Some(*address)),
            _ => {}
        }
    }
    let address = IpNet::new(local?, message.header.prefix_len).ok()?;
    Some(Address { index: message.header.index, address })
}
