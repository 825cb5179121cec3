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
mod listing;

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
    pub(super) fn update(&mut self, table: &str, chains: &str, anew: bool) -> Result<()> {
        let tables = listing::tables_with_input(chains);
        let mut loaded = BTreeMap::new();
        let mut left_out = Vec::new();
        for (number, name) in tables.iter().enumerate() {
            let copy = copy_name(table, number);
            let family = name.split(' ').next().unwrap_or_default();
            let mut told = Vec::new();
            let script = match nft::list_stateless(table, name) {
                Ok(listed) => copy::copy(&listed, &copy, &mut told),
                Err(error) => {
                    told.push(format!("all of {name}: {}", errors::chain(&error)));
                    copy::copy(&listing::block(chains, name), &copy, &mut Vec::new())
                }
            };
            let Some(script) = script else { continue };
            let fresh = anew || self.loaded.get(&copy) != Some(&script);
            if fresh && let Err(error) = load(table, family, &copy, &script, &mut told) {
                told.push(format!("all of {name}: {}", errors::chain(&error)));
                if let Some(bare) = copy::copy(&listing::block(chains, name), &copy, &mut Vec::new()) {
                    load(table, family, &copy, &bare, &mut told)?;
                }
            } else if !fresh {
                told.extend(self.refused.get(&copy).into_iter().flatten().cloned());
            }
            self.refused.insert(copy.clone(), told.clone());
            left_out.extend(told);
            loaded.insert(copy, script);
        }
        remove_but(table, &loaded)?;
        left_out.dedup();
        for rule in left_out.iter().filter(|rule| !self.left_out.contains(rule)) {
            tracing::warn!(rule, "this rule of the host's firewall says nothing about published ports");
        }
        (self.loaded, self.copied, self.left_out) = (loaded, tables, left_out);
        Ok(())
    }
}

/// Takes all copies away.
///
/// # Errors
/// Where `nft` can't.
pub(super) fn remove(table: &str) -> Result<()> {
    remove_but(table, &BTreeMap::new())
}

fn copy_name(table: &str, number: usize) -> String {
    format!("{table}-guard-{number}")
}

/// Deletes the copies that there are and that are not among these.
fn remove_but(table: &str, wanted: &BTreeMap<String, String>) -> Result<()> {
    let prefix = format!("{table}-guard-");
    let listed = run(table, "list tables\n")?;
    let name = |line: &str| line.rsplit(' ').next().unwrap_or_default().to_owned();
    let stale = listed.lines().filter(|line| {
        name(line).starts_with(&prefix)
            && !wanted.get(&name(line)).is_some_and(|script| script.starts_with(*line))
    });
    let script: String = stale.map(|line| format!("delete {line}\n")).collect();
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
