//! Where chains drop all packets that nobody has decided on, and where our rule has to be for that.

use super::MARK;
use crate::firewall::listing::{Chain, Table, without_handle};
use std::collections::BTreeSet;

/// Where a chain drops the rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End<'a> {
    /// By the policy of the hook, behind its last rule.
    Policy,
    /// By the rule with this handle.
    Rule(&'a str),
    /// By its owner's list of who passes: some come back from it by a `return`, so what it drops is not just the rest.
    Owners,
}

/// What is to be done about a chain.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Work<'a> {
    chain: &'a str,
    /// Handles of rules of ours that are in the wrong place.
    pub(super) out: Vec<&'a str>,
    /// Where one comes.
    pub(super) end: Option<End<'a>>,
}

impl Work<'_> {
    /// Whether there is nothing that may be done.
    pub(super) fn is_shut(&self) -> bool {
        self.end == Some(End::Owners)
    }

    /// `ip filter FORWARD`.
    pub(super) fn chain(&self, table: &Table<'_>) -> String {
        format!("{} {}", table.name, self.chain)
    }
}

/// What is to be done in a table, whose rules are listed with handles. Our rules bear the comment.
///
/// Looked at are the chains that are hooked, and those that these call without a condition: where one is called under a condition, its end is
/// about just those packets, and holds.
pub(super) fn work<'a>(table: &Table<'a>, comment: &str) -> Vec<Work<'a>> {
    let mut ends: Vec<(&'a str, End<'a>)> = Vec::new();
    let mut seen = BTreeSet::new();
    for chain in table.chains.iter().filter(|chain| chain.is_forward()) {
        let policy = chain.base == Some(("forward", true));
        look(table, chain, policy, &mut seen, &mut ends);
    }
    let of_chain = |chain: &Chain<'a>| {
        let end = ends.iter().find(|(name, _)| *name == chain.name).map(|(_, end)| *end);
        let rules: Vec<_> = rules(chain).collect();
        let ours = |at: usize| rules[at].0.ends_with(comment);
        // Where another engine of ours has its own rule, either may be the last one.
        let behind = match end {
            Some(End::Rule(handle)) => rules.iter().position(|(_, other)| *other == handle),
            Some(End::Policy) => Some(rules.len()),
            Some(End::Owners) | None => None,
        };
        let right = behind.and_then(|behind| {
            (0..behind).rev().take_while(|at| is_passage(rules[*at].0)).find(|at| ours(*at))
        });
        let out: Vec<_> =
            (0..rules.len()).filter(|at| ours(*at) && Some(*at) != right).map(|at| rules[at].1).collect();
        let end = end.filter(|_| right.is_none());
        (end.is_some() || !out.is_empty()).then_some(Work { chain: chain.name, out, end })
    };
    table.chains.iter().filter_map(of_chain).collect()
}

/// Finds the ends of a chain and of those that it calls. `drops`: what comes to its end is dropped by policy.
fn look<'a>(
    table: &Table<'a>,
    chain: &Chain<'a>,
    drops: bool,
    seen: &mut BTreeSet<&'a str>,
    ends: &mut Vec<(&'a str, End<'a>)>,
) {
    if !seen.insert(chain.name) {
        return;
    }
    let called = |name: &str| table.chains.iter().find(|chain| chain.name == name);
    for (rule, handle) in rules(chain) {
        let Some(verdict) = verdict(rule) else { continue };
        if denies(verdict) {
            ends.push((chain.name, End::Rule(handle)));
            return;
        }
        if matches!(verdict, "accept" | "return") {
            return;
        }
        let goes = verdict.strip_prefix("goto ").and_then(called);
        let Some(other) = goes.or_else(|| verdict.strip_prefix("jump ").and_then(called)) else { continue };
        if is_verdict(other) {
            ends.push((chain.name, End::Rule(handle)));
            return;
        }
        if may_return(other) {
            // It opens to whom its owner says.
            if rules(other).any(|(rule, _)| self::verdict(rule).is_some_and(denies)) {
                ends.push((other.name, End::Owners));
            }
        } else {
            look(table, other, drops && goes.is_some(), seen, ends);
        }
        if goes.is_some() {
            return;
        }
    }
    if drops {
        ends.push((chain.name, End::Policy));
    }
}

/// The rules of a chain and their handles.
fn rules<'a>(chain: &Chain<'a>) -> impl DoubleEndedIterator<Item = (&'a str, &'a str)> {
    chain.rules.iter().map(|rule| without_handle(rule).unwrap_or((*rule, "")))
}

/// What a rule without a condition does: `drop`, `jump other`, or nothing but counting and logging. None: it has a condition.
fn verdict(rule: &str) -> Option<&str> {
    let mut rest = rule;
    if let Some((before, comment)) = rule.rsplit_once(" comment \"")
        && comment.ends_with('"')
    {
        rest = before;
    }
    loop {
        rest = rest.trim_start();
        if let Some(counted) = rest.strip_prefix("counter") {
            let words =
                counted.trim_start().strip_prefix("packets ").and_then(|rest| rest.split_once(" bytes "));
            rest = words.map_or(counted, |(_, rest)| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        } else if let Some(logged) = rest.strip_prefix("log") {
            rest = after_log(logged);
        } else {
            break;
        }
    }
    let known = rest.is_empty()
        || matches!(rest, "accept" | "return")
        || denies(rest)
        || rest
            .strip_prefix("jump ")
            .or_else(|| rest.strip_prefix("goto "))
            .is_some_and(|name| !name.contains(' '));
    known.then_some(rest)
}

/// What stands behind the options of `log`.
fn after_log(mut rest: &str) -> &str {
    loop {
        rest = rest.trim_start();
        if let Some(text) = rest.strip_prefix("prefix \"") {
            rest = text.split_once('"').map_or("", |(_, rest)| rest);
        } else if let Some(option) = ["level ", "flags ", "group ", "snaplen ", "queue-threshold "]
            .into_iter()
            .find_map(|option| rest.strip_prefix(option))
        {
            rest = option.split_once(' ').map_or("", |(_, rest)| rest);
        } else {
            return rest;
        }
    }
}

fn denies(verdict: &str) -> bool {
    verdict == "drop" || verdict == "reject" || verdict.starts_with("reject with ")
}

/// Whether a chain does nothing but deny, such as one that logs first: to call it is to deny.
fn is_verdict(chain: &Chain<'_>) -> bool {
    let decides =
        |rule: &str| rule.split(' ').any(|word| matches!(word, "accept" | "return" | "jump" | "goto"));
    !rules(chain).any(|(rule, _)| decides(rule))
        && rules(chain).next_back().and_then(|(rule, _)| verdict(rule)).is_some_and(denies)
}

/// Whether some packets come back from it before its end.
fn may_return(chain: &Chain<'_>) -> bool {
    rules(chain).any(|(rule, _)| rule.split(' ').any(|word| word == "return"))
}

/// Whether it is a rule such as ours, of whichever engine.
fn is_passage(rule: &str) -> bool {
    rule.starts_with(&format!("meta mark & {MARK:#010x} == {MARK:#010x} counter "))
}

#[cfg(test)]
mod tests;
