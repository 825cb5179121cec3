//! What `nft list` prints, taken apart.

use std::collections::BTreeSet;

/// A table: its chains, and whatever else it holds as it stands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table<'a> {
    /// `ip`, `ip6`, `inet`.
    pub(super) family: &'a str,
    /// Sets, maps, limits, counters: each a block of lines.
    pub(super) objects: Vec<Vec<&'a str>>,
    pub(super) chains: Vec<Chain<'a>>,
}

/// A chain.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Chain<'a> {
    pub(super) name: &'a str,
    /// Where it is hooked, and whether its policy is drop; none: others call it.
    pub(super) base: Option<(&'a str, bool)>,
    pub(super) rules: Vec<&'a str>,
}

impl Chain<'_> {
    pub(super) fn is_input(&self) -> bool {
        self.base.is_some_and(|(hook, _)| hook == "input")
    }
}

/// Reads what `list table` prints.
pub(super) fn read(listed: &str) -> Table<'_> {
    let mut table = Table::default();
    let mut lines = listed.lines();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("table ") {
            table.family = rest.split(' ').next().unwrap_or_default();
        } else if let Some(rest) = line.strip_prefix("\tchain ") {
            let body = lines.by_ref().take_while(|line| *line != "\t}");
            table.chains.push(chain(rest.trim_end_matches(" {"), body));
        } else if line.starts_with('\t') && line.ends_with('{') {
            let body = lines.by_ref().take_while(|line| *line != "\t}");
            table.objects.push(std::iter::once(line).chain(body).chain(["\t}"]).collect());
        }
    }
    table
}

fn chain<'a>(name: &'a str, lines: impl Iterator<Item = &'a str>) -> Chain<'a> {
    let mut chain = Chain { name, ..Chain::default() };
    for line in lines.map(str::trim) {
        if let Some((_, rest)) = line.strip_prefix("type ").and_then(|line| line.split_once(" hook ")) {
            let hook = rest.split(' ').next().unwrap_or_default();
            chain.base = Some((hook, line.ends_with("policy drop;")));
        } else if !(line.is_empty() || line.starts_with('#') || line.starts_with("comment ")) {
            chain.rules.push(line);
        }
    }
    chain
}

/// A table alone, of what `list chains` prints of all: its chains, and no rules.
pub(super) fn block(chains: &str, table: &str) -> String {
    let head = format!("table {table} {{");
    let lines = chains.lines().skip_while(|line| *line != head);
    lines.take_while(|line| *line != "}").flat_map(|line| [line, "\n"]).collect()
}

/// The tables that have a chain at the input hook, from what `list chains` prints: `ip filter`.
pub(super) fn tables_with_input(chains: &str) -> BTreeSet<String> {
    let mut table = "";
    let mut found = BTreeSet::new();
    for line in chains.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("table ") {
            table = name.trim_end_matches([' ', '{']);
        } else if line.starts_with("type filter hook input ") {
            found.insert(table.to_owned());
        }
    }
    // No packet to an address comes by others.
    found.retain(|table| ["ip ", "ip6 ", "inet "].iter().any(|family| table.starts_with(family)));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTED: &str = "\
table ip filter {
\tset bad {
\t\ttype ipv4_addr
\t\telements = { 192.0.2.1,
\t\t\t     192.0.2.2 }
\t}

\tchain INPUT {
\t\ttype filter hook input priority filter; policy drop;
\t\tjump more
\t}

\tchain more {
\t\ttcp dport 22 counter accept
\t}
}
";

    #[test]
    fn a_table_is_taken_apart() {
        let table = read(LISTED);
        assert_eq!((table.family, table.objects.len(), table.chains.len()), ("ip", 1, 2));
        assert_eq!(table.objects[0].len(), 5);
        assert!(table.chains[0].is_input() && table.chains[0].base == Some(("input", true)));
        assert_eq!(table.chains[1].rules, ["tcp dport 22 counter accept"]);
    }

    #[test]
    fn tables_that_judge_what_comes_in_are_found() {
        let chains = "table inet a {\n\tchain i {\n\t\ttype filter hook input priority 0; policy accept;\n\t}\n}\n\
            table ip b {\n\tchain f {\n\t\ttype filter hook forward priority 0; policy drop;\n\t}\n}\n\
            table bridge c {\n\tchain i {\n\t\ttype filter hook input priority 0; policy accept;\n\t}\n}\n";
        assert_eq!(tables_with_input(chains).into_iter().collect::<Vec<_>>(), ["inet a"]);
    }
}
