//! What a container may see.

use super::Network;
use crate::message::{Name, kind, wire};
use crate::servers::Servers;
use arc_swap::ArcSwap;
use netd_protocol as protocol;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

/// A container, which tables and its sockets hold on to while what it may see changes.
#[derive(Debug)]
pub(crate) struct Container {
    /// Its id.
    pub(crate) id: Box<str>,
    view: ArcSwap<View>,
}

/// What a container may see at a moment.
#[derive(Debug, Default)]
pub(crate) struct View {
    networks: Vec<Arc<Network>>,
    own: HashMap<Box<[u8]>, Own>,
    /// Its own servers for other names.
    pub(crate) servers: Option<Arc<Servers>>,
    /// Whether names without a dot stay inside.
    pub(crate) ndots_chosen: bool,
}

/// What only this container calls so.
#[derive(Debug)]
enum Own {
    Addresses(Vec<IpAddr>),
    /// The host, at the gateway of the first network.
    Host,
    /// Another container, by one of its names.
    Link(Box<[u8]>),
}

/// Whether there is a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    /// No.
    Nothing,
    /// Yes; what was asked of it was handed over, which may be nothing.
    Name,
}

/// What every container calls its host.
const HOST_NAMES: [&str; 2] = ["host.docker.internal", "gateway.docker.internal"];

impl Container {
    pub(crate) fn new(id: &str) -> Self {
        Self { id: id.into(), view: ArcSwap::default() }
    }

    /// What it may see now.
    pub(crate) fn view(&self) -> arc_swap::Guard<Arc<View>> {
        self.view.load()
    }

    /// Changes what it may see.
    pub(crate) fn set_view(&self, view: View) {
        self.view.store(Arc::new(view));
    }
}

impl View {
    /// From a record, whose networks are these.
    pub(crate) fn new(record: &protocol::Container, networks: Vec<Arc<Network>>) -> Self {
        let hosts = HOST_NAMES.iter().filter_map(|name| Some((wire(name)?, Own::Host)));
        let links =
            record.links.iter().filter_map(|link| Some((wire(&link.alias)?, Own::Link(wire(&link.target)?))));
        let mut own: HashMap<_, _> = hosts.chain(links).collect();
        for host in &record.hosts {
            let Some(name) = wire(&host.name) else { continue };
            let addresses = host.addresses.iter().copied();
            match own.get_mut(&name) {
                Some(Own::Addresses(known)) if !host.addresses.is_empty() => known.extend(addresses),
                _ if host.addresses.is_empty() => drop(own.insert(name, Own::Host)),
                _ => drop(own.insert(name, Own::Addresses(addresses.collect()))),
            }
        }
        let servers = (!record.servers.is_empty()).then(|| Arc::new(Servers::new(record.servers.clone())));
        Self { networks, own, servers, ndots_chosen: record.ndots_chosen }
    }

    /// Whether it has no way out.
    pub(crate) fn is_internal(&self) -> bool {
        self.networks.iter().all(|network| network.table().record.internal)
    }

    /// Hands over the addresses of this type that a name has. `turn` says which of several comes first.
    pub(crate) fn addresses(
        &self,
        name: &Name,
        kind: u16,
        turn: usize,
        mut each: impl FnMut(IpAddr),
    ) -> Found {
        match self.own.get(name.as_wire()) {
            Some(Own::Addresses(addresses)) => hand_over(addresses, kind, turn, each),
            Some(Own::Host) => {
                let table = self.networks.first().map(|network| network.table());
                hand_over(table.as_ref().map_or(&[], |table| &table.record.gateways), kind, turn, each)
            }
            Some(Own::Link(target)) => self.on_networks(target, kind, turn, &mut each),
            None => self.on_networks(name.as_wire(), kind, turn, &mut each),
        }
    }

    /// The first network that has an address of this type for the name decides.
    fn on_networks(&self, name: &[u8], kind: u16, turn: usize, each: &mut dyn FnMut(IpAddr)) -> Found {
        let mut found = Found::Nothing;
        for network in &self.networks {
            let table = network.table();
            let Some(holders) = table.holders(name) else { continue };
            found = Found::Name;
            let handed = match kind {
                kind::A => rotated(&holders.v4, turn, |address| each(IpAddr::V4(address))),
                kind::AAAA => rotated(&holders.v6, turn, |address| each(IpAddr::V6(address))),
                _ => 0,
            };
            if handed > 0 {
                break;
            }
        }
        found
    }

    /// Hands over the name of an address.
    pub(crate) fn name_of(&self, address: IpAddr, each: impl FnOnce(&[u8])) -> Found {
        for network in &self.networks {
            let table = network.table();
            if let Some(name) = table.name_of(address) {
                each(name);
                return Found::Name;
            }
        }
        Found::Nothing
    }
}

fn hand_over(addresses: &[IpAddr], kind: u16, turn: usize, mut each: impl FnMut(IpAddr)) -> Found {
    rotated(addresses, turn, |address| {
        if matches!((kind, address), (kind::A, IpAddr::V4(_)) | (kind::AAAA, IpAddr::V6(_))) {
            each(address);
        }
    });
    Found::Name
}

/// All elements, from another one each turn; says how many.
fn rotated<T: Copy>(list: &[T], turn: usize, each: impl FnMut(T)) -> usize {
    let (before, from) = list.split_at(turn.checked_rem(list.len()).unwrap_or(0));
    from.iter().chain(before).copied().for_each(each);
    list.len()
}
