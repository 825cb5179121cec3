//! Records of an earlier daemon, or that somebody has changed, made those of this one.

use crate::{Attached, Netd, Result, records};
use netd_protocol::{Container, Network};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Where the records on disk are not what they should be.
#[derive(Debug, Default)]
struct Differences {
    networks: Vec<Network>,
    containers: Vec<Container>,
    stale: BTreeSet<PathBuf>,
}

impl Netd {
    /// Makes these the only records, and what netd knows; starts netd if there are containers. What was right already is
    /// left as it is; with `keep_strays` those without a counterpart too. Says what does not work of what was changed.
    ///
    /// # Errors
    /// When records can't be read or written, or netd not be started, or refuses them.
    pub fn reconcile(
        &self,
        networks: Vec<Network>,
        containers: Vec<Container>,
        keep_strays: bool,
    ) -> Result<Vec<String>> {
        let wanted = !containers.is_empty();
        let Differences { networks, containers, stale } = self.compare(networks, containers)?;
        for network in networks {
            self.note(network)?;
        }
        if !keep_strays {
            let (networks, gone) = records::ids(&stale);
            self.remove(networks, gone)?;
        }
        if wanted {
            self.ensure()?;
        }
        if containers.is_empty() {
            return Ok(Vec::new());
        }
        let changed = containers.into_iter();
        let attached = changed.map(|record| Attached { record, namespace: None, process: None });
        self.put(Vec::new(), attached.collect())
    }

    /// Where the records are not these: `network ID`, `container ID`; of those without a counterpart, too.
    ///
    /// # Errors
    /// When records can't be read.
    pub fn differences(&self, networks: Vec<Network>, containers: Vec<Container>) -> Result<Vec<String>> {
        let Differences { networks, containers, stale } = self.compare(networks, containers)?;
        let (stale_networks, stale_containers) = records::ids(&stale);
        let networks = networks.into_iter().map(|network| network.id).chain(stale_networks);
        let containers = containers.into_iter().map(|container| container.id).chain(stale_containers);
        let networks = networks.map(|id| format!("network {id}"));
        Ok(networks.chain(containers.map(|id| format!("container {id}"))).collect())
    }

    /// Whether there is a record of a container.
    ///
    /// # Errors
    /// When records can't be read.
    pub fn has_containers(&self) -> Result<bool> {
        let (_, containers) = records::ids(&records::read(&self.state)?.into_keys().collect());
        Ok(!containers.is_empty())
    }

    fn compare(&self, networks: Vec<Network>, containers: Vec<Container>) -> Result<Differences> {
        let mut known = records::read(&self.state)?;
        let mut differences = Differences::default();
        for network in networks {
            let path = netd_protocol::network_file(&self.state, &network.id);
            if known.remove(&path).as_deref() != Some(&*records::encode(&network)?) {
                differences.networks.push(network);
            }
        }
        for container in containers {
            let path = netd_protocol::container_file(&self.state, &container.id);
            if known.remove(&path).as_deref() != Some(&*records::encode(&container)?) {
                differences.containers.push(container);
            }
        }
        differences.stale = known.into_keys().collect();
        Ok(differences)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Program;

    #[test]
    fn records_of_strangers_go_unless_they_are_to_be_kept() {
        let state = tempfile::tempdir().unwrap();
        let program = Program { path: "/nonexistent".into(), arguments: Vec::new() };
        let netd = Netd::new(state.path().to_owned(), program);
        let record = Container { id: "1".into(), ..Container::default() };
        let path = netd_protocol::container_file(state.path(), &record.id);
        records::write(state.path(), &path, &record).unwrap();
        netd.reconcile(Vec::new(), Vec::new(), true).unwrap();
        assert!(path.exists() && netd.has_containers().unwrap());
        netd.reconcile(Vec::new(), Vec::new(), false).unwrap();
        assert!(!path.exists() && !netd.has_containers().unwrap());
    }
}
