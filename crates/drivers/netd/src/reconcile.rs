//! Records of an earlier daemon, made those of this one.

use crate::{Attached, Netd, Result, records};
use netd_protocol::{Container, Network};
use std::collections::{BTreeMap, BTreeSet};

impl Netd {
    /// Makes these the only records, and what netd knows; starts netd if there are containers. What was right already is
    /// left as it is. Says what does not work of what was changed.
    ///
    /// # Errors
    /// When records can't be read or written, or netd not be started, or refuses them.
    pub fn reconcile(&self, networks: Vec<Network>, containers: Vec<Container>) -> Result<Vec<String>> {
        let mut known = records::read(&self.state)?;
        let wanted = !containers.is_empty();
        let mut changed = BTreeMap::new();
        for network in networks {
            let path = netd_protocol::network_file(&self.state, &network.id);
            if known.remove(&path).as_deref() != Some(&*records::encode(&network)?) {
                self.note(network)?;
            }
        }
        for container in containers {
            let path = netd_protocol::container_file(&self.state, &container.id);
            if known.remove(&path).as_deref() != Some(&*records::encode(&container)?) {
                changed.insert(container.id.clone(), container);
            }
        }
        let stale: BTreeSet<_> = known.into_keys().collect();
        let (networks, containers) = records::ids(&stale);
        self.remove(networks, containers)?;
        if wanted {
            self.ensure()?;
        }
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let changed = changed.into_values();
        let attached = changed.map(|record| Attached { record, namespace: None, process: None });
        self.put(Vec::new(), attached.collect())
    }
}
