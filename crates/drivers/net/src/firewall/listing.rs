//! What `nft list` prints, taken apart.

/// A table: its chains, and whatever else it holds as it stands.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table<'a> {
    /// `ip filter`.
    pub(super) name: &'a str,
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

impl Table<'_> {
    /// `ip`, `ip6`, `inet`.
    pub(super) fn family(&self) -> &str {
        self.name.split(' ').next().unwrap_or_default()
    }

    /// Whether packets of the internet come by it.
    pub(super) fn is_internet(&self) -> bool {
        matches!(self.family(), "ip" | "ip6" | "inet")
    }
}

impl Chain<'_> {
    pub(super) fn is_input(&self) -> bool {
        self.base.is_some_and(|(hook, _)| hook == "input")
    }

    /// Whether it is hooked where packets are forwarded.
    pub(super) fn is_forward(&self) -> bool {
        self.base.is_some_and(|(hook, _)| hook == "forward")
    }
}

/// A rule of a listing with handles, and its handle.
pub(super) fn without_handle(rule: &str) -> Option<(&str, &str)> {
    rule.rsplit_once(" # handle ")
}

/// Reads what `list table`, `list chains` or `list tables` prints, with handles or without: then each rule has its own behind it.
pub(super) fn read(listed: &str) -> Vec<Table<'_>> {
    let mut tables = Vec::new();
    let mut lines = listed.lines();
    while let Some(line) = lines.next() {
        if let Some(rest) = line.strip_prefix("table ") {
            let name = rest.split(" {").next().unwrap_or_default();
            tables.push(Table { name, ..Table::default() });
            continue;
        }
        let Some(table) = tables.last_mut() else { continue };
        if let Some(rest) = line.strip_prefix("\tchain ") {
            let body = lines.by_ref().take_while(|line| *line != "\t}");
            table.chains.push(chain(rest.split(" {").next().unwrap_or_default(), body));
        } else if line.starts_with('\t') && without_handle(line).map_or(line, |(line, _)| line).ends_with('{')
        {
            let body = lines.by_ref().take_while(|line| *line != "\t}");
            table.objects.push(std::iter::once(line).chain(body).chain(["\t}"]).collect());
        }
    }
    tables
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
        let tables = read(LISTED);
        let table = &tables[0];
        assert_eq!((table.family(), table.objects.len(), table.chains.len()), ("ip", 1, 2));
        assert_eq!(table.objects[0].len(), 5);
        assert!(table.chains[0].is_input() && table.chains[0].base == Some(("input", true)));
        assert_eq!(table.chains[1].rules, ["tcp dport 22 counter accept"]);
    }

    #[test]
    fn chains_of_several_tables_are_told_apart() {
        let chains = "table inet a {\n\tchain i {\n\t\ttype filter hook input priority 0; policy accept;\n\t}\n}\n\
            table ip b {\n\tchain f {\n\t\ttype filter hook forward priority 0; policy drop;\n\t}\n}\n\
            table bridge c {\n\tchain i {\n\t\ttype filter hook input priority 0; policy accept;\n\t}\n}\n";
        let tables = read(chains);
        let judge =
            tables.iter().filter(|table| table.is_internet() && table.chains.iter().any(Chain::is_input));
        assert_eq!(judge.map(|table| table.name).collect::<Vec<_>>(), ["inet a"]);
    }
}
