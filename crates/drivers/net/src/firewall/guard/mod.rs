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

use super::nft::run;
use crate::Result;
use std::collections::BTreeSet;

/// The mark of a packet that the host's input chains would not let in. It is there from the copies to the translation.
pub(super) const DENIED: u32 = 1 << 29;

/// The tables of others, what is made of them, and what could not be.
#[derive(Debug, Default)]
pub(super) struct Guard {
    /// What was loaded last.
    loaded: String,
    /// The tables that were copied: `ip filter`.
    pub(super) copied: BTreeSet<String>,
    /// Rules that could not be.
    pub(super) left_out: Vec<String>,
}

impl Guard {
    /// Copies what the host's input chains say now, if that is not what was copied last, or `anew`.
    ///
    /// # Errors
    /// Where `nft` does not list or load it.
    pub(super) fn update(&mut self, table: &str, chains: &str, anew: bool) -> Result<()> {
        let tables = listing::tables_with_input(chains);
        let mut script = String::new();
        let mut left_out = Vec::new();
        for (number, name) in tables.iter().enumerate() {
            let listed = run(table, &format!("list table {name}\n"))?;
            let Some(copied) = copy::copy(&listed, &copy_name(table, number), &mut left_out) else {
                continue;
            };
            script.push_str(&copied);
        }
        if script == self.loaded && !anew {
            return Ok(());
        }
        let stale = stale_copies(table)?;
        left_out.extend(load(table, &stale, &script)?);
        for rule in left_out.iter().filter(|rule| !self.left_out.contains(rule)) {
            tracing::warn!(rule, "this rule of the host's firewall says nothing about published ports");
        }
        (self.loaded, self.copied, self.left_out) = (script, tables, left_out);
        Ok(())
    }
}

/// Takes all copies away.
///
/// # Errors
/// Where `nft` can't.
pub(super) fn remove(table: &str) -> Result<()> {
    let stale = stale_copies(table)?;
    if stale.is_empty() { Ok(()) } else { run(table, &stale).map(drop) }
}

fn copy_name(table: &str, number: usize) -> String {
    format!("{table}-guard-{number}")
}

/// What deletes the copies that there are.
fn stale_copies(table: &str) -> Result<String> {
    let prefix = format!("{table}-guard-");
    let listed = run(table, "list tables\n")?;
    let copies =
        listed.lines().filter(|line| line.rsplit(' ').next().unwrap_or_default().starts_with(&prefix));
    Ok(copies.map(|line| format!("delete {line}\n")).collect())
}

/// Loads the copies in the place of those that there were. A line that is refused is left out, which is answered.
fn load(table: &str, stale: &str, script: &str) -> Result<Vec<String>> {
    const TRIES: usize = 32;
    let mut lines: Vec<&str> = script.lines().collect();
    let mut left_out = Vec::new();
    loop {
        let text = format!("{stale}{}\n", lines.join("\n"));
        let Err(error) = run(table, &text) else { return Ok(left_out) };
        let place = refused_line(&error).and_then(|line| line.checked_sub(1 + stale.lines().count()));
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
