//! A network's part of the packet filter's table, for who writes that when no daemon runs.

use crate::{Network, Networks};
use net::firewall::BridgeRules;

/// A network's part of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TablePart {
    /// The table's name.
    pub table: String,
    /// Whether what the host's input chains deny is not published.
    pub respects_firewall: bool,
    /// What is said there of its bridge.
    pub rules: BridgeRules,
}

impl Networks {
    /// What the table has of a network; none where it has no bridge.
    pub fn table_part(&self, network: &Network) -> Option<TablePart> {
        let live = self.find_live(network.id.as_str()).ok()?;
        Some(TablePart {
            table: self.config.table.clone(),
            respects_firewall: !self.config.bypass_firewall,
            rules: live.bridged.as_ref()?.rules.clone(),
        })
    }
}
