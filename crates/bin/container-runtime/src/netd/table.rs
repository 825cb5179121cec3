//! The engine's table in the packet filter, kept while no daemon does: written again, from the records, when somebody has
//! deleted it, and what is made of others' tables made anew when they change.

use net::Stop;
use net::firewall::{self, Anchor, BridgeRules, Change, Others, PortRule, Rules, Watch};
use netd_protocol::{Container, Network, Port};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The table.
#[derive(Debug, Default)]
pub(super) struct Table {
    kept: Arc<Mutex<Kept>>,
    /// Ends the watch.
    watch: Option<Stop>,
    /// Keeps connections while the table is gone.
    anchor: Option<Anchor>,
}

/// What belongs into it, by the ids of the records.
#[derive(Debug, Default)]
struct Kept {
    bridges: BTreeMap<String, Network>,
    ports: BTreeMap<String, Vec<Port>>,
    /// Connections of daemons. As long as there is one, the table is its.
    daemons: usize,
    others: Option<Others>,
}

impl Table {
    /// Takes a network's record. With the first that has a bridge the watch begins.
    pub(super) fn put_network(&mut self, network: &Network) {
        let Some(bridge) = &network.bridge else { return };
        self.kept.lock().bridges.insert(network.id.clone(), network.clone());
        if self.watch.is_none() {
            match watch(&bridge.table, &self.kept) {
                Ok(stop) => self.watch = Some(stop),
                Err(error) => {
                    tracing::debug!(error = %errors::chain(&error), "the packet filter is not watched")
                }
            }
        }
        if self.anchor.is_none() {
            match Anchor::cast(&bridge.table) {
                Ok(anchor) => self.anchor = Some(anchor),
                // Where there is no packet filter there are no such connections.
                Err(error) if error.is_no_filter() || firewall::is_there(&bridge.table).is_err() => {
                    tracing::debug!(error = %errors::chain(&error), "connections are not kept");
                }
                Err(error) => {
                    let error = errors::chain(&error);
                    tracing::warn!(%error, "connections break off when the packet filter is flushed");
                }
            }
        }
    }

    pub(super) fn remove_network(&self, id: &str) {
        self.kept.lock().bridges.remove(id);
    }

    pub(super) fn put_container(&self, record: &Container) {
        let mut kept = self.kept.lock();
        if record.ports.is_empty() {
            kept.ports.remove(&record.id);
        } else {
            kept.ports.insert(record.id.clone(), record.ports.clone());
        }
    }

    pub(super) fn remove_container(&self, id: &str) {
        self.kept.lock().ports.remove(id);
    }

    /// A daemon has connected.
    pub(super) fn daemon_came(&self) {
        let mut kept = self.kept.lock();
        kept.daemons += 1;
        kept.others = None;
    }

    /// A daemon's connection has ended. What it may have left undone is looked at, on a thread for that.
    pub(super) fn daemon_went(&self) {
        let mut kept = self.kept.lock();
        kept.daemons = kept.daemons.saturating_sub(1);
        if kept.daemons == 0 {
            let kept = Arc::clone(&self.kept);
            tokio::task::spawn_blocking(move || kept.lock().look());
        }
    }
}

/// Starts the thread that hears of changes. It ends with the answer's drop.
fn watch(table: &str, kept: &Arc<Mutex<Kept>>) -> net::Result<Stop> {
    let kept = Arc::downgrade(kept);
    Watch::keep(table, move |change| {
        let Some(kept) = kept.upgrade() else { return };
        match change {
            Change::Gone => kept.lock().write_again(),
            Change::Others { tables, rules, chains } => {
                kept.lock().look_at_others(|others| chains || others.cares_about(&tables, rules));
            }
        }
    })
}

impl Kept {
    /// Whether the table, and what is made of others' tables, is as it should be; made so where it is not.
    fn look(&mut self) {
        match self.rules().map(|rules| firewall::is_there(&rules.table)) {
            Some(Ok(false)) => self.write_again(),
            Some(Ok(true)) => self.look_at_others(|_| true),
            Some(Err(error)) => tracing::warn!(error = %errors::chain(&error), "look at the packet filter"),
            None => {}
        }
    }

    fn write_again(&mut self) {
        let Some(rules) = self.rules().filter(|_| self.daemons == 0) else { return };
        tracing::warn!(
            table = rules.table,
            "the packet filter was flushed while no daemon runs, its table is written again"
        );
        // First who judges what comes to published ports, then these.
        let looked = self.others().map_or(Ok(()), |others| others.look(true).map(drop));
        if let Err(error) = firewall::write(&rules).and(looked) {
            tracing::error!(error = %errors::chain(&error), "containers have no packet filter");
        }
    }

    fn look_at_others(&mut self, matters: impl FnOnce(&Others) -> bool) {
        if self.daemons > 0 {
            return;
        }
        let Some(others) = self.others() else { return };
        if matters(others)
            && let Err(error) = others.look(false)
        {
            tracing::warn!(error = %errors::chain(&error), "what others do to containers' packets is not known");
        }
    }

    fn others(&mut self) -> Option<&mut Others> {
        let bridge = self.bridges.values().find_map(|network| network.bridge.as_ref())?;
        Some(self.others.get_or_insert_with(|| Others::new(&bridge.table, bridge.respects_firewall)))
    }

    fn rules(&self) -> Option<Rules> {
        let bridges =
            self.bridges.values().filter_map(|network| Some((network.internal, network.bridge.as_ref()?)));
        let table = bridges.clone().next()?.1.table.clone();
        let bridges = bridges.map(|(internal, bridge)| BridgeRules {
            bridge: bridge.device.clone(),
            subnets: bridge.subnets.clone(),
            masquerade: bridge.masquerade,
            internal,
            hairpin: bridge.hairpin,
        });
        Some(Rules {
            table,
            bridges: bridges.collect(),
            ports: self.ports.values().flatten().map(rule).collect(),
        })
    }
}

fn rule(port: &Port) -> PortRule {
    let Port { host, protocol, first, last, target, target_port } = *port;
    PortRule { host, protocol, first, last, target, target_port }
}
