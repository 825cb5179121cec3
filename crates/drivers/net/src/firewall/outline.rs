//! Whether the table in the kernel is the one that was written: how many rules its chains have, how much its sets hold, and each port.

use super::ports::MAPS;
use super::{Rules, SETS, listing, memberships, text};
use crate::{Element, Elements, Result};
use std::collections::{BTreeMap, BTreeSet};

/// What a table comes to. That a rule was changed into another is not seen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outline {
    /// How many rules each chain has that has some.
    pub rules: BTreeMap<String, usize>,
    /// How many elements each set has that says something of bridges, and that has some.
    pub members: BTreeMap<String, usize>,
    /// The maps' elements.
    pub ports: BTreeMap<String, BTreeSet<Element>>,
}

impl Outline {
    /// What [`super::write()`] would make of these rules.
    ///
    /// # Errors
    /// For names that can't be.
    pub fn of(rules: &Rules) -> Result<Self> {
        let mut outline = Self::default();
        let written = text(rules)?;
        for chain in listing::read(&written).into_iter().flat_map(|table| table.chains) {
            if !chain.rules.is_empty() {
                outline.rules.insert(chain.name.to_owned(), chain.rules.len());
            }
        }
        // Bridges may share an element.
        let members: BTreeSet<_> = rules.bridges.iter().flat_map(memberships).collect();
        for (set, _) in members {
            *outline.members.entry(set.to_owned()).or_default() += 1;
        }
        for rule in &rules.ports {
            outline.ports.entry(rule.map().to_owned()).or_default().extend(rule.elements());
        }
        Ok(outline)
    }

    /// What the kernel has under this name; none: no table. Some sixteen messages, no process.
    ///
    /// # Errors
    /// What the kernel refuses.
    pub fn present(table: &str) -> Result<Option<Self>> {
        if !super::is_there(table)? {
            return Ok(None);
        }
        let mut elements = Elements::open(table)?;
        let mut outline = Self { rules: elements.count_rules()?, ..Self::default() };
        for (set, _) in SETS {
            let count = elements.list(set)?.len();
            if count > 0 {
                outline.members.insert(set.to_owned(), count);
            }
        }
        for (map, _) in MAPS {
            let found = elements.list(map)?;
            if !found.is_empty() {
                outline.ports.insert(map.to_owned(), found.into_iter().collect());
            }
        }
        Ok(Some(outline))
    }
}
