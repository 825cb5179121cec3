//! All networks and containers that are known, by id: where changes are made.

use super::{Container, Network, View};
use netd_protocol as protocol;
use std::collections::HashMap;
use std::sync::Arc;

/// All networks and containers. Changes are made by its one owner; who answers questions holds on to parts of it.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    networks: HashMap<String, Arc<Network>>,
    containers: HashMap<String, (Arc<Container>, protocol::Container)>,
}

impl Directory {
    /// How many networks and containers there are.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.networks.len(), self.containers.len())
    }

    /// Adds or changes a network.
    pub(crate) fn put_network(&mut self, record: protocol::Network) -> Arc<Network> {
        if let Some(known) = self.networks.get(&record.id) {
            known.change(|table| table.record = Arc::new(record));
            return Arc::clone(known);
        }
        let network = Arc::new(Network::new(record.clone()));
        self.networks.insert(record.id, Arc::clone(&network));
        network
    }

    /// The record of a network.
    pub(crate) fn network_record(&self, id: &str) -> Option<protocol::Network> {
        self.networks.get(id).map(|network| protocol::Network::clone(&network.table().record))
    }

    /// Adds or changes a container, whose names are visible when this returns. Says what of it can't be so.
    pub(crate) fn put_container(&mut self, record: protocol::Container) -> (Arc<Container>, Vec<String>) {
        let mut warnings = Vec::new();
        let mut joined = Vec::new();
        for endpoint in &record.endpoints {
            match self.networks.get(&endpoint.network) {
                Some(network) => joined.push((Arc::clone(network), endpoint)),
                None => warnings.push(format!("there is no network {}", endpoint.network)),
            }
        }
        let known = self.containers.remove(&record.id);
        let container = known
            .as_ref()
            .map_or_else(|| Arc::new(Container::new(&record.id)), |(known, _)| Arc::clone(known));
        container
            .set_view(View::new(&record, joined.iter().map(|(network, _)| Arc::clone(network)).collect()));
        let old = known.map(|(_, old)| old.endpoints).unwrap_or_default();
        // One step a network: nobody finds it gone meanwhile.
        for (network, endpoint) in joined {
            network.change(|table| {
                for before in old.iter().filter(|before| before.network == endpoint.network) {
                    table.leave(&container, before);
                }
                let wrong = table.join(&container, endpoint);
                warnings.extend(wrong.into_iter().map(|name| format!("{name:?} can't be a name")));
            });
        }
        let left = old.iter().filter(|old| record.endpoints.iter().all(|new| new.network != old.network));
        self.leave(&container, left);
        self.containers.insert(record.id.clone(), (Arc::clone(&container), record));
        (container, warnings)
    }

    /// Forgets a container.
    pub(crate) fn remove_container(&mut self, id: &str) {
        if let Some((container, record)) = self.containers.remove(id) {
            self.leave(&container, record.endpoints.iter());
            container.set_view(View::default());
        }
    }

    /// Forgets a network, and that containers were on it.
    pub(crate) fn remove_network(&mut self, id: &str) {
        if self.networks.remove(id).is_none() {
            return;
        }
        let on = self
            .containers
            .values()
            .filter(|(_, record)| record.endpoints.iter().any(|end| end.network == id));
        for mut record in on.map(|(_, record)| record.clone()).collect::<Vec<_>>() {
            record.endpoints.retain(|endpoint| endpoint.network != id);
            self.put_container(record);
        }
    }

    fn leave<'a>(&self, container: &Arc<Container>, endpoints: impl Iterator<Item = &'a protocol::Endpoint>) {
        for endpoint in endpoints {
            if let Some(network) = self.networks.get(&endpoint.network) {
                network.change(|table| table.leave(container, endpoint));
            }
        }
    }
}
