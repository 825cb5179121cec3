//! Chains of others that drop forwarded packets by their policy: another engine's, or an administrator's.
//!
//! An `accept` of ours ends our chain only. What our table lets pass bears a mark while forwarding is decided, and each
//! such chain gets one rule at its end that accepts what bears it: rules of the chain's owner come first and hold, only its
//! policy gives way. In iptables' words it is `-m mark --mark 0x40000000/0x40000000 -j ACCEPT`.

use super::listing::Table;
use super::nft::run;
use crate::Result;

/// The mark. Nobody sees it outside of the forward hook.
pub(super) const MARK: u32 = 1 << 30;

/// A chain: `ip filter FORWARD`.
type Chain = String;

/// Sees to it that marked packets pass those chains of these tables that drop others. Answers those where that fails.
///
/// # Errors
/// Where `nft` can't list what there is.
pub(super) fn open(table: &str, present: &[Table<'_>]) -> Result<Vec<Chain>> {
    let mut shut = Vec::new();
    for chain in forward_drops(present) {
        let listed = run(table, &format!("list chain {chain}\n"))?;
        if listed.contains(&comment(table)) {
            continue;
        }
        let rule = format!(
            "add rule {chain} meta mark and {MARK:#x} == {MARK:#x} counter accept {}\n",
            comment(table)
        );
        match run(table, &rule) {
            Ok(_) => tracing::info!(
                chain,
                "this chain's policy drops what it does not accept: containers' packets pass"
            ),
            Err(error) => {
                tracing::warn!(chain, error = %errors::chain(&error), "containers' packets are dropped");
                shut.push(chain);
            }
        }
    }
    Ok(shut)
}

/// Takes those rules back.
///
/// # Errors
/// Where `nft` can't list what there is.
pub(super) fn close(table: &str) -> Result<()> {
    let listed = super::nft::list_with_handles(table)?;
    for (chain, handle) in rules_with(&comment(table), &listed) {
        // Whoever deletes the chain deletes the rule.
        if let Err(error) = run(table, &format!("delete rule {chain} handle {handle}\n")) {
            tracing::debug!(chain, error = %errors::chain(&error), "a rule of ours");
        }
    }
    Ok(())
}

fn comment(table: &str) -> String {
    format!("comment \"{table}\"")
}

/// The rules that bear a comment, from what `nft -a list ruleset` prints: their chains and handles.
fn rules_with<'a>(comment: &str, listed: &'a str) -> Vec<(Chain, &'a str)> {
    let (mut table, mut chain) = ("", "");
    let mut found = Vec::new();
    for line in listed.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("table ") {
            table = rest.split(" {").next().unwrap_or_default();
        } else if let Some(rest) = line.strip_prefix("chain ") {
            chain = rest.split(" {").next().unwrap_or_default();
        } else if let Some((rule, handle)) = line.rsplit_once(" # handle ")
            && rule.ends_with(comment)
        {
            found.push((format!("{table} {chain}"), handle));
        }
    }
    found
}

/// Chains whose policy drops what is forwarded.
fn forward_drops(present: &[Table<'_>]) -> Vec<Chain> {
    let tables = present.iter().filter(|table| table.is_internet());
    let chains = tables.flat_map(|table| table.chains.iter().map(move |chain| (table, chain)));
    let dropping = chains.filter(|(_, chain)| chain.base == Some(("forward", true)));
    dropping.map(|(table, chain)| format!("{} {}", table.name, chain.name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firewall::listing::read;

    #[test]
    fn chains_that_drop_by_policy_are_found() {
        let listed = "table inet mine {\n\tchain forward {\n\t\ttype filter hook forward priority filter; policy accept;\n\t}\n}\n\
            table ip filter {\n\tchain DOCKER {\n\t}\n\tchain FORWARD {\n\t\ttype filter hook forward priority filter; policy drop;\n\t}\n\
            \tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n\
            table bridge b {\n\tchain f {\n\t\ttype filter hook forward priority filter; policy drop;\n\t}\n}\n";
        assert_eq!(forward_drops(&read(listed)), ["ip filter FORWARD"]);
    }

    #[test]
    fn our_rules_are_found_by_their_comment() {
        let listed = "table ip filter { # handle 2\n\tchain FORWARD { # handle 2\n\t\ttype filter hook forward priority filter; policy drop;\n\
            \t\tcounter packets 0 bytes 0 accept comment \"other\" # handle 8\n\
            \t\tmeta mark & 0x40000000 == 0x40000000 counter packets 0 bytes 0 accept comment \"mine\" # handle 9\n\t}\n}\n";
        let found = rules_with(&comment("mine"), listed);
        assert_eq!(found, [("ip filter FORWARD".to_owned(), "9")]);
    }
}
