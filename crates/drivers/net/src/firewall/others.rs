//! What other programs' tables do to containers' packets, and what is done about it.

use super::guard::{self, Guard};
use super::listing::{Table, read};
use super::nft::run;
use super::passage;
use crate::Result;
use std::collections::BTreeSet;

/// Other programs' tables, as they were looked at last.
#[derive(Debug)]
pub struct Others {
    table: String,
    /// Tables of others that decide what is forwarded.
    forwarding: BTreeSet<String>,
    /// None: the host's input policy has no say about published ports.
    guard: Option<Guard>,
}

/// What is not as it should be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trouble {
    /// Chains (`family table chain`) that drop containers' packets.
    pub shut: Vec<String>,
    /// Rules of the host's firewall that say nothing about published ports, since they can't be asked.
    pub left_out: Vec<String>,
}

/// Chains (`family table chain`) that drop forwarded packets by their policy, whether or not a rule lets ours pass. Runs `nft`.
///
/// # Errors
/// Where it does not list them.
pub fn shut() -> Result<Vec<String>> {
    let chains = run("filter", "list chains\n")?;
    let mut found = Vec::new();
    for table in read(&chains).into_iter().filter(Table::is_internet) {
        let shut = table.chains.iter().filter(|chain| chain.base == Some(("forward", true)));
        found.extend(shut.map(|chain| format!("{} {}", table.name, chain.name)));
    }
    Ok(found)
}

impl Others {
    /// For the engine whose table is `table`. `respect`: whether what the host's input chains deny is not published.
    pub fn new(table: &str, respect: bool) -> Self {
        Self { table: table.to_owned(), forwarding: BTreeSet::new(), guard: respect.then(Guard::default) }
    }

    /// Looks at them, and lets containers' packets pass and published ports be judged. `anew`: what was made of them before may
    /// be gone. Runs `nft`, about 5 ms a time: once where there are none.
    ///
    /// # Errors
    /// Where `nft` does not list or load it.
    pub fn look(&mut self, anew: bool) -> Result<Trouble> {
        let chains = run(&self.table, "list chains\n")?;
        let present = read(&chains);
        let passage = passage::open(&self.table, &present);
        let mut left_out = Vec::new();
        match &mut self.guard {
            Some(guard) => {
                guard.update(&self.table, &present, anew)?;
                left_out.clone_from(&guard.left_out);
            }
            // Of a time when it had a say.
            None if anew => guard::remove(&self.table)?,
            None => {}
        }
        let passage = passage?;
        self.forwarding = passage.tables;
        Ok(Trouble { shut: passage.shut, left_out })
    }

    /// Whether a change in these tables (`ip filter`) may matter; `rules`: of more than elements of their sets.
    pub fn cares_about(&self, tables: &BTreeSet<String>, rules: bool) -> bool {
        let copied = self.guard.as_ref().map(|guard| &guard.copied);
        let forwarding = rules.then_some(&self.forwarding);
        copied.into_iter().chain(forwarding).any(|known| !known.is_disjoint(tables))
    }
}

/// Takes back what was done.
///
/// # Errors
/// Where `nft` can't.
pub(super) fn forget(table: &str) -> Result<()> {
    match passage::close(table).and_then(|()| guard::remove(table)) {
        Err(error) if error.is_no_filter() => Ok(()),
        outcome => outcome,
    }
}
