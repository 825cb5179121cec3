//! A network's names.

use super::Container;
use crate::message::wire;
use arc_swap::ArcSwap;
use netd_protocol as protocol;
use rpds::HashTrieMapSync;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// A network, which its containers and the sockets at its gateways hold on to while what is known of it changes.
#[derive(Debug)]
pub(crate) struct Network {
    table: ArcSwap<Table>,
}

/// What is known of a network at a moment.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    /// Its record.
    pub(crate) record: Arc<protocol::Network>,
    names: HashTrieMapSync<Box<[u8]>, Arc<Holders>>,
    /// Whose an address is, and its name.
    addresses: HashTrieMapSync<IpAddr, (Arc<Container>, Box<[u8]>)>,
}

/// The containers that have a name, and their addresses.
#[derive(Debug, Default, Clone)]
pub(crate) struct Holders {
    containers: Vec<Box<str>>,
    pub(crate) v4: Vec<Ipv4Addr>,
    pub(crate) v6: Vec<Ipv6Addr>,
}

impl Network {
    pub(crate) fn new(record: protocol::Network) -> Self {
        let names = HashTrieMapSync::new_sync();
        let addresses = HashTrieMapSync::new_sync();
        Self { table: ArcSwap::from_pointee(Table { record: Arc::new(record), names, addresses }) }
    }

    /// What is known now.
    pub(crate) fn table(&self) -> arc_swap::Guard<Arc<Table>> {
        self.table.load()
    }

    /// Makes one change visible at once. Changes are made by one thread.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Table)) {
        let mut table = Table::clone(&self.table.load());
        change(&mut table);
        self.table.store(Arc::new(table));
    }
}

impl Table {
    /// Who has this name.
    pub(crate) fn holders(&self, name: &[u8]) -> Option<&Holders> {
        self.names.get(name).map(|holders| &**holders)
    }

    /// Whose address it is.
    pub(crate) fn owner(&self, address: IpAddr) -> Option<&Arc<Container>> {
        self.addresses.get(&address).map(|(owner, _)| owner)
    }

    /// What an address is called.
    pub(crate) fn name_of(&self, address: IpAddr) -> Option<&[u8]> {
        self.addresses.get(&address).map(|(_, name)| &**name).filter(|name| !name.is_empty())
    }

    /// Adds a container; says which of its names can be no names.
    pub(crate) fn join(&mut self, container: &Arc<Container>, endpoint: &protocol::Endpoint) -> Vec<String> {
        let mut wrong = Vec::new();
        for name in every_name(container, endpoint) {
            for key in self.keys(name, &mut wrong) {
                self.edit(&key, |holders| holders.add(&container.id, &endpoint.addresses));
            }
        }
        // A whole id has one character more than a label may.
        wrong.retain(|name| **name != *container.id);
        let first = endpoint.names.iter().find_map(|name| self.qualified(name)).unwrap_or_default();
        for &address in &endpoint.addresses {
            self.addresses.insert_mut(address, (Arc::clone(container), first.clone()));
        }
        wrong
    }

    /// Takes a container away that joined with this endpoint.
    pub(crate) fn leave(&mut self, container: &Arc<Container>, endpoint: &protocol::Endpoint) {
        for name in every_name(container, endpoint) {
            for key in self.keys(name, &mut Vec::new()) {
                self.edit(&key, |holders| holders.take(&container.id, &endpoint.addresses));
            }
        }
        for address in &endpoint.addresses {
            // It may be another's by now.
            if self.owner(*address).is_some_and(|owner| Arc::ptr_eq(owner, container)) {
                self.addresses.remove_mut(address);
            }
        }
    }

    /// The name alone, and with the network's behind it.
    fn keys(&self, name: &str, wrong: &mut Vec<String>) -> Vec<Box<[u8]>> {
        let keys: Vec<_> = [wire(name), self.qualified(name)].into_iter().flatten().collect();
        if keys.is_empty() {
            wrong.push(name.to_owned());
        }
        keys
    }

    fn qualified(&self, name: &str) -> Option<Box<[u8]>> {
        wire(&format!("{name}.{}", self.record.name))
    }

    fn edit(&mut self, key: &[u8], edit: impl FnOnce(&mut Holders)) {
        let mut holders = self.holders(key).cloned().unwrap_or_default();
        edit(&mut holders);
        if holders.containers.is_empty() {
            self.names.remove_mut(key);
        } else {
            self.names.insert_mut(key.into(), Arc::new(holders));
        }
    }
}

fn every_name<'a>(
    container: &'a Container,
    endpoint: &'a protocol::Endpoint,
) -> impl Iterator<Item = &'a str> {
    std::iter::once(&*container.id).chain(endpoint.names.iter().map(String::as_str))
}

impl Holders {
    fn add(&mut self, id: &str, addresses: &[IpAddr]) {
        if self.containers.iter().any(|known| **known == *id) {
            return; // two of its names are the same
        }
        self.containers.push(id.into());
        for address in addresses {
            match address {
                IpAddr::V4(address) => self.v4.push(*address),
                IpAddr::V6(address) => self.v6.push(*address),
            }
        }
    }

    fn take(&mut self, id: &str, addresses: &[IpAddr]) {
        if !self.containers.iter().any(|known| **known == *id) {
            return;
        }
        self.containers.retain(|known| **known != *id);
        for address in addresses {
            match address {
                IpAddr::V4(address) => remove_one(&mut self.v4, address),
                IpAddr::V6(address) => remove_one(&mut self.v6, address),
            }
        }
    }
}

/// Removes one of several equal elements: the others are other containers'.
fn remove_one<T: PartialEq>(list: &mut Vec<T>, element: &T) {
    if let Some(at) = list.iter().position(|one| one == element) {
        list.remove(at);
    }
}
