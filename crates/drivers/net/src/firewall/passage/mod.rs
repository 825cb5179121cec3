//! Chains of others that drop forwarded packets whatever they are: by their policy, as another engine's or ufw's do, or by a last
//! rule that has no condition, as firewalld's zones and the usual `iptables -A FORWARD -j REJECT` do.
//!
//! An `accept` of ours ends our chain only. What our table lets pass bears a mark while forwarding is decided, and each
//! such chain gets one rule at its end, before that last one, that accepts what bears it: rules of the chain's owner come first
//! and hold, only what befalls all the rest gives way. In iptables' words it is `-m mark --mark 0x40000000/0x40000000 -j ACCEPT`.

mod ends;

use super::listing::{Chain, Table, read, without_handle};
use super::nft::{list_with_handles, run};
use crate::Result;
use ends::Work;
use std::collections::BTreeSet;

/// The mark. Nobody sees it outside of the forward hook.
pub(super) const MARK: u32 = 1 << 30;

/// What of others' forwarding was looked at.
#[derive(Debug, Default)]
pub(super) struct Passage {
    /// Chains (`ip filter FORWARD`) that containers' packets do not pass.
    pub(super) shut: Vec<String>,
    /// Tables (`ip filter`) that decide what is forwarded.
    pub(super) tables: BTreeSet<String>,
}

/// Sees to it that marked packets pass those chains of these tables that drop others. Runs `nft` once for each table that decides
/// what is forwarded.
///
/// # Errors
/// Where `nft` can't list what there is.
pub(super) fn open(table: &str, present: &[Table<'_>]) -> Result<Passage> {
    let own = format!("inet {table}");
    let forwards =
        |one: &&Table<'_>| one.is_internet() && one.name != own && one.chains.iter().any(Chain::is_forward);
    let mut passage = Passage::default();
    for other in present.iter().filter(forwards) {
        passage.tables.insert(other.name.to_owned());
        let listed = list_with_handles(table, Some(other.name))?;
        let Some(work) = read(&listed).first().map(|listed| ends::work(listed, &comment(table))) else {
            continue;
        };
        passage.shut.extend(work.iter().filter(|work| work.is_shut()).map(|work| work.chain(other)));
        for work in work.iter().filter(|work| !work.is_shut()) {
            let chain = work.chain(other);
            match run(table, &script(table, &chain, work)) {
                Ok(_) => tracing::info!(
                    chain,
                    "this chain drops what it does not accept: containers' packets pass"
                ),
                Err(error) => {
                    tracing::warn!(chain, error = %errors::chain(&error), "containers' packets are dropped");
                    passage.shut.push(chain);
                }
            }
        }
    }
    Ok(passage)
}

/// Takes our rules out of a chain, and puts one where it belongs, if it does.
fn script(table: &str, chain: &str, work: &Work<'_>) -> String {
    let mut script: String =
        work.out.iter().map(|handle| format!("delete rule {chain} handle {handle}\n")).collect();
    let place = match work.end {
        Some(ends::End::Policy) => format!("add rule {chain}"),
        Some(ends::End::Rule(handle)) => format!("insert rule {chain} position {handle}"),
        Some(ends::End::Owners) | None => return script,
    };
    let comment = comment(table);
    script.push_str(&format!("{place} meta mark and {MARK:#x} == {MARK:#x} counter accept {comment}\n"));
    script
}

/// Takes those rules back.
///
/// # Errors
/// Where `nft` can't list what there is.
pub(super) fn close(table: &str) -> Result<()> {
    let listed = list_with_handles(table, None)?;
    let comment = comment(table);
    for other in read(&listed) {
        for chain in &other.chains {
            let ours = chain.rules.iter().filter_map(|rule| without_handle(rule));
            for (_, handle) in ours.filter(|(rule, _)| rule.ends_with(&comment)) {
                let rule = format!("{} {} handle {handle}", other.name, chain.name);
                // Whoever deletes the chain deletes the rule.
                if let Err(error) = run(table, &format!("delete rule {rule}\n")) {
                    tracing::debug!(rule, error = %errors::chain(&error), "a rule of ours");
                }
            }
        }
    }
    Ok(())
}

fn comment(table: &str) -> String {
    format!("comment \"{table}\"")
}
