//! The host's own input policy, asked about published ports.
//!
//! A packet to a published port is translated before the host's input chains could see it: what those deny would be open.
//! So they are copied, into tables of ours that are hooked before the translation, as questions: where a chain of the host
//! drops or rejects, the copy marks the packet, and what is marked is not translated. It meets the host's own chains
//! then, which do with it what their owner wrote, counters, log and rejection included.
//!
//! Only the first packet of a connection is judged. A rule that only the old iptables knows (`xt match`) can't be copied; it
//! is left out, and told of.

mod copy;

use super::listing::{Chain, Table, read};
use super::nft::{self, run};
use crate::Result;
use std::collections::{BTreeMap, BTreeSet};

/// The mark of a packet that the host's input chains would not let in. It is there from the copies to the translation.
pub(super) const DENIED: u32 = 1 << 29;

/// The tables of others, what is made of them, and what could not be.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// The copies that were loaded last, by their names.
    loaded: BTreeMap<String, String>,
    /// What of each was left out.
    refused: BTreeMap<String, Vec<String>>,
    /// The tables that were copied: `ip filter`.
    pub(super) copied: BTreeSet<String>,
    /// Rules that could not be.
    pub(super) left_out: Vec<String>,
}

impl Guard {
    /// Copies what the host's input chains say now, where that is not what was copied last, or `anew`. Of a table that can't be
    /// copied its policies are: what is denied by default stays so.
    ///
    /// # Errors
    /// Where `nft` does not load even that.
    pub(super) fn update(&mut self, table: &str, present: &[Table<'_>], anew: bool) -> Result<()> {
        let judges = |one: &&Table<'_>| one.is_internet() && one.chains.iter().any(Chain::is_input);
        let mut loaded = BTreeMap::new();
        let mut left_out = Vec::new();
        let mut copied = BTreeSet::new();
        for (number, judge) in present.iter().filter(judges).enumerate() {
            let (name, family) = (judge.name, judge.family());
            copied.insert(name.to_owned());
            let copy = copy_name(table, number);
            let mut told = Vec::new();
            let script = match nft::list_stateless(table, name) {
                Ok(listed) => read(&listed).first().and_then(|full| copy::copy(full, &copy, &mut told)),
                Err(error) => {
                    told.push(format!("all of {name}: {}", errors::chain(&error)));
                    copy::copy(judge, &copy, &mut Vec::new())
                }
            };
            let Some(script) = script else { continue };
            let fresh = anew || self.loaded.get(&copy) != Some(&script);
            if fresh && let Err(error) = load(table, family, &copy, &script, &mut told) {
                told.push(format!("all of {name}: {}", errors::chain(&error)));
                if let Some(bare) = copy::copy(judge, &copy, &mut Vec::new()) {
                    load(table, family, &copy, &bare, &mut told)?;
                }
            } else if !fresh {
                told.extend(self.refused.get(&copy).into_iter().flatten().cloned());
            }
            self.refused.insert(copy.clone(), told.clone());
            left_out.extend(told);
            loaded.insert(copy, script);
        }
        remove_but(table, present, &loaded)?;
        left_out.dedup();
        for rule in left_out.iter().filter(|rule| !self.left_out.contains(rule)) {
            tracing::warn!(rule, "this rule of the host's firewall says nothing about published ports");
        }
        (self.loaded, self.copied, self.left_out) = (loaded, copied, left_out);
        Ok(())
    }
}

/// Takes all copies away.
///
/// # Errors
/// Where `nft` can't.
pub(super) fn remove(table: &str) -> Result<()> {
    remove_but(table, &read(&run(table, "list tables\n")?), &BTreeMap::new())
}

fn copy_name(table: &str, number: usize) -> String {
    format!("{}{number}", copy_prefix(table))
}

fn copy_prefix(table: &str) -> String {
    format!("{table}-guard-")
}

/// Deletes the copies that are present and not among these.
fn remove_but(table: &str, present: &[Table<'_>], wanted: &BTreeMap<String, String>) -> Result<()> {
    let prefix = copy_prefix(table);
    let stale = present.iter().filter(|one| {
        let copy = one.name.rsplit(' ').next().unwrap_or_default();
        // One of another family may have its number.
        let is_wanted =
            wanted.get(copy).is_some_and(|script| script.starts_with(&format!("table {} {{", one.name)));
        copy.starts_with(&prefix) && !is_wanted
    });
    let script: String = stale.map(|one| format!("delete table {}\n", one.name)).collect();
    if script.is_empty() { Ok(()) } else { run(table, &script).map(drop) }
}

/// Loads a copy in the place of an earlier one. A line that is refused is left out, which is told.
fn load(table: &str, family: &str, copy: &str, script: &str, told: &mut Vec<String>) -> Result<()> {
    const TRIES: usize = 32;
    let head = format!("add table {family} {copy}\ndelete table {family} {copy}\n");
    let mut lines: Vec<&str> = script.lines().collect();
    let mut left_out = Vec::new();
    loop {
        let text = format!("{head}{}\n", lines.join("\n"));
        let Err(error) = run(table, &text) else {
            told.extend(left_out);
            return Ok(());
        };
        let place = refused_line(&error).and_then(|line| line.checked_sub(1 + head.lines().count()));
        match place {
            Some(place) if left_out.len() < TRIES && copy::is_rule(lines.get(place).copied()) => {
                left_out.push(lines.remove(place).trim().to_owned());
            }
            _ => return Err(error),
        }
    }
}

/// `/dev/stdin:8:3-17: Error: …`.
fn refused_line(error: &crate::Error) -> Option<usize> {
    let crate::Error::Nft { message, .. } = error else { return None };
    message.split(':').nth(1)?.parse().ok()
}
