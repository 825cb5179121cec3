//! Chains of others that drop forwarded packets whatever they are: by their policy, as another engine's or ufw's do, or by a last
//! rule that has no condition, as firewalld's zones and the usual `iptables -A FORWARD -j REJECT` do.
//!
//! An `accept` of ours ends our chain only. What our table lets pass bears a mark while forwarding is decided, and each
//! such chain gets one rule at its end, before that last one, that accepts what bears it: rules of the chain's owner come first
//! and hold, only what befalls all the rest gives way. In iptables' words it is `-m mark --mark 0x40000000/0x40000000 -j ACCEPT`.

use super::listing::{Chain, Table, read, without_handle};
use super::nft::{list_with_handles, run};
use crate::Result;
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

/// Where a chain drops the rest.
#[derive(Debug, PartialEq, Eq)]
enum End<'a> {
    Policy,
    /// By the rule with this handle.
    Rule(&'a str),
}

/// Sees to it that marked packets pass those chains of these tables that drop others. Runs `nft` once for each table that decides
/// what is forwarded.
///
/// # Errors
/// Where `nft` can't list what there is.
pub(super) fn open(table: &str, present: &[Table<'_>]) -> Result<Passage> {
    let own = format!("inet {table}");
    let forwards =
        |one: &&Table<'_>| one.is_internet() && one.name != own && one.chains.iter().any(is_forward);
    let mut passage = Passage::default();
    for other in present.iter().filter(forwards) {
        passage.tables.insert(other.name.to_owned());
        let listed = list_with_handles(table, Some(other.name))?;
        for (chain, end) in
            read(&listed).first().map(|listed| ends(listed, &comment(table))).unwrap_or_default()
        {
            let chain = format!("{} {chain}", other.name);
            let place = match end {
                End::Policy => format!("add rule {chain}"),
                End::Rule(handle) => format!("insert rule {chain} position {handle}"),
            };
            let comment = comment(table);
            let rule = format!("{place} meta mark and {MARK:#x} == {MARK:#x} counter accept {comment}\n");
            match run(table, &rule) {
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

fn is_forward(chain: &Chain<'_>) -> bool {
    chain.base.is_some_and(|(hook, _)| hook == "forward")
}

/// The chains of a table where all packets that nobody decided on are dropped, and that have no rule with this comment yet: of those that are
/// hooked, and of those that these call without a condition. Where one is called under a condition, its end is a rule about
/// just those packets, and holds.
fn ends<'a>(table: &Table<'a>, comment: &str) -> Vec<(&'a str, End<'a>)> {
    let mut ends = Vec::new();
    let mut ahead: Vec<&Chain<'a>> = table.chains.iter().filter(|chain| is_forward(chain)).collect();
    let mut seen = BTreeSet::new();
    while let Some(chain) = ahead.pop() {
        if !seen.insert(chain.name) {
            continue;
        }
        let rules = || chain.rules.iter().map(|rule| without_handle(rule).unwrap_or((*rule, "")));
        let called = rules().filter_map(|(rule, _)| {
            let verdict = unconditional(rule);
            verdict.strip_prefix("jump ").or_else(|| verdict.strip_prefix("goto "))
        });
        ahead.extend(called.filter_map(|name| table.chains.iter().find(|chain| chain.name == name)));
        if rules().any(|(rule, _)| rule.ends_with(comment)) {
            continue;
        }
        match rules().next_back() {
            Some((rule, handle)) if denies(unconditional(rule)) => ends.push((chain.name, End::Rule(handle))),
            _ if chain.base == Some(("forward", true)) => ends.push((chain.name, End::Policy)),
            _ => {}
        }
    }
    ends
}

/// A rule without its counter: only a verdict, if it has no condition.
fn unconditional(rule: &str) -> &str {
    let Some(rest) = rule.strip_prefix("counter packets ") else { return rule };
    rest.split_once(" bytes ").and_then(|(_, rest)| rest.split_once(' ')).map_or(rule, |(_, verdict)| verdict)
}

fn denies(verdict: &str) -> bool {
    verdict == "drop" || verdict == "reject" || verdict.starts_with("reject with ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "\
table inet filter { # handle 2
\tset zones { # handle 3
\t\ttype ifname
\t}

\tchain FORWARD { # handle 2
\t\ttype filter hook forward priority filter; policy drop;
\t\tct state established,related accept # handle 5
\t\tip saddr 192.0.2.1 jump blocked # handle 6
\t\tjump zones # handle 7
\t\tcounter packets 0 bytes 0 reject with icmpx admin-prohibited # handle 8
\t}

\tchain zones { # handle 9
\t\tiifname \"eth1\" goto inner # handle 10
\t\tgoto outer # handle 11
\t}

\tchain outer { # handle 12
\t\treject # handle 13
\t}

\tchain inner { # handle 14
\t\tdrop # handle 15
\t}

\tchain blocked { # handle 16
\t\tdrop # handle 17
\t}

\tchain second { # handle 18
\t\ttype filter hook forward priority 10; policy drop;
\t\tudp dport 53 drop # handle 19
\t}

\tchain third { # handle 20
\t\ttype filter hook forward priority 20; policy drop;
\t\tmeta mark & 0x40000000 == 0x40000000 counter packets 0 bytes 0 accept comment \"mine\" # handle 21
\t\tdrop # handle 22
\t}

\tchain INPUT { # handle 23
\t\ttype filter hook input priority filter; policy drop;
\t\tdrop # handle 24
\t}
}
";

    #[test]
    fn where_the_rest_is_dropped_is_found_and_where_some_are_is_not() {
        let tables = read(LISTED);
        let mut found = ends(&tables[0], &comment("mine"));
        found.sort_by_key(|(chain, _)| *chain);
        assert_eq!(found, [("FORWARD", End::Rule("8")), ("outer", End::Rule("13")), ("second", End::Policy)]);
    }

    #[test]
    fn chains_that_call_each_other_end() {
        let listed = "table ip x {\n\tchain f {\n\t\ttype filter hook forward priority 0; policy accept;\n\t\tjump a\n\t}\n\
            \tchain a {\n\t\tjump b\n\t}\n\tchain b {\n\t\tcounter packets 1 bytes 2 jump a\n\t}\n}\n";
        assert_eq!(ends(&read(listed)[0], &comment("mine")), []);
    }
}
