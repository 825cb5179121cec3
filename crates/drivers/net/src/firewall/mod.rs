//! The packet filter: one nftables table of the engine's own, written as a whole in one transaction.
//!
//! An `accept` in this table ends this table's chain only. Where another table drops what it does not accept, as iptables'
//! `FORWARD` chain with the policy DROP that another engine sets, one rule there lets our packets pass (`passage.rs`). What
//! the host's input chains deny is not published (`guard/`).

mod anchor;
mod guard;
mod listing;
mod nft;
mod others;
mod outline;
mod passage;
mod ports;
mod watch;

pub use anchor::Anchor;
pub use nft::version;
pub use others::{Others, Trouble, shut};
pub use outline::Outline;
pub use ports::PortRule;
pub use watch::{Change, Watch, is_there};

use crate::{Error, Result, link};
use ipnet::IpNet;
use nft::run;

/// What the table should do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Its name, in the family `inet`.
    pub table: String,
    /// The bridges it serves.
    pub bridges: Vec<BridgeRules>,
    /// What is published of the containers behind them.
    pub ports: Vec<PortRule>,
}

/// What a bridge needs of the packet filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeRules {
    /// Its name.
    pub bridge: String,
    /// The subnets behind it.
    pub subnets: Vec<IpNet>,
    /// Whether what comes from it leaves by other devices under the host's address.
    pub masquerade: bool,
    /// Whether nothing is forwarded from it and to it.
    pub internal: bool,
    /// Whether packets that come from it may be forwarded to it: those for a published port of a neighbour. What ports of a bridge
    /// say to each other directly is not forwarded, and not seen here.
    pub hairpin: bool,
}

/// Writes the table, in place of the one that may be there, atomically. Runs `nft`: about 5 ms.
///
/// # Errors
/// [`Error::NoNft`], [`Error::NoNftables`] and [`Error::Nft`], of the class `Unsupported`, when this host has no nftables.
pub fn write(rules: &Rules) -> Result<()> {
    run(&rules.table, &text(rules)?).map(drop)
}

/// Deletes the table. Not an error when it, or nftables, is not there.
pub fn remove(table: &str) -> Result<()> {
    check_table(table)?;
    match run(table, &format!("add table inet {table}\ndelete table inet {table}\n")) {
        Ok(_) => others::forget(table),
        Err(error) if error.is_no_filter() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Adds a bridge to the table that is there. Runs `nft`.
///
/// # Errors
/// As [`write()`], and where there is no table.
pub fn add(table: &str, bridge: &BridgeRules) -> Result<()> {
    check_table(table)?;
    link::check_name(&bridge.bridge)?;
    run(table, &elements("add", table, bridge)).map(drop)
}

/// Takes a bridge out of the table. Not an error where it is in none.
pub fn forget(table: &str, bridge: &BridgeRules) -> Result<()> {
    check_table(table)?;
    link::check_name(&bridge.bridge)?;
    let all = BridgeRules { masquerade: true, internal: true, hairpin: true, ..bridge.clone() };
    // What is added can be deleted, whether it was there or not.
    let script = elements("add", table, &all) + &elements("delete", table, &all);
    run(table, &script).map(drop)
}

/// The sets that say what applies to a bridge, with its elements in each.
fn memberships(rules: &BridgeRules) -> impl Iterator<Item = (&'static str, String)> + use<> {
    let BridgeRules { bridge, subnets, masquerade, internal, hairpin } = rules;
    let name = format!("\"{bridge}\"");
    let pair = format!("{name} . {name}");
    let sets = [
        ("bridges", true, name.clone()),
        ("masqueraded", *masquerade, name.clone()),
        ("internal", *internal, name.clone()),
        ("hairpins", *hairpin, pair),
    ];
    let sets = sets.into_iter().filter(|(_, member, _)| *member).map(|(set, _, element)| (set, element));
    let homes = subnets.iter().map(|subnet| {
        let set = if subnet.addr().is_ipv4() { "homes4" } else { "homes6" };
        (set, format!("{} . {name}", subnet.trunc()))
    });
    sets.chain(homes.collect::<Vec<_>>())
}

fn elements(verb: &str, table: &str, rules: &BridgeRules) -> String {
    let lines = memberships(rules)
        .map(|(set, element)| format!("{verb} element inet {table} {set} {{ {element} }}\n"));
    lines.collect()
}

/// The sets of a table, and the type of what is in each.
const SETS: [(&str, &str); 6] = [
    ("bridges", "type ifname;"),
    ("masqueraded", "type ifname;"),
    ("internal", "type ifname;"),
    ("hairpins", "type ifname . ifname;"),
    ("homes4", "type ipv4_addr . ifname; flags interval;"),
    ("homes6", "type ipv6_addr . ifname; flags interval;"),
];

/// What is the same for every bridge. What a set says of a bridge is told in [`BridgeRules`]. Before the chains of others,
/// which see the mark; after them it is gone.
const CHAINS: &str = "\
\tchain forward {
\t\ttype filter hook forward priority filter - 10; policy accept;
\t\tiifname @bridges goto ours
\t\toifname @bridges goto ours
\t}
\tchain ours {
\t\tct state established,related goto passed
\t\tiifname . oifname @hairpins goto passed
\t\tiifname @internal drop
\t\toifname @internal drop
\t\toifname @bridges ct status dnat goto passed
\t\tiifname @bridges oifname @bridges drop
\t\tiifname @bridges goto passed
\t\tdrop
\t}
\tchain passed {
\t\tmeta mark set meta mark or 0x40000000 accept
\t}
\tchain forwarded {
\t\ttype filter hook forward priority 300; policy accept;
\t\tmeta mark and 0x40000000 == 0x40000000 meta mark set meta mark and 0xbfffffff
\t}
\tchain postrouting {
\t\ttype nat hook postrouting priority srcnat; policy accept;
\t\tiifname @masqueraded oifname != @bridges masquerade
\t\tip saddr . oifname @homes4 ct status dnat masquerade
\t\tip6 saddr . oifname @homes6 ct status dnat masquerade
\t\toifname @bridges ip saddr 127.0.0.0/8 masquerade
\t}
";

/// The transaction that [`write()`] hands to `nft`.
pub fn text(rules: &Rules) -> Result<String> {
    let table = &rules.table;
    check_table(table)?;
    for bridge in &rules.bridges {
        link::check_name(&bridge.bridge)?;
    }
    // `add` makes the `delete` succeed at the first time too.
    let mut text = format!("add table inet {table}\ndelete table inet {table}\ntable inet {table} {{\n");
    for (set, kind) in SETS {
        text.push_str(&set_text(set, kind, &rules.bridges));
    }
    for (map, kind) in ports::MAPS {
        let rules = rules.ports.iter().filter(|rule| rule.map() == map);
        let elements: Vec<String> = rules.flat_map(PortRule::texts).collect();
        text.push_str(&format!("\tmap {map} {{ {kind}{} }}\n", listed_elements(&elements)));
    }
    text.push_str(CHAINS);
    text.push_str(ports::CHAINS);
    text.push_str("}\n");
    Ok(text)
}

fn set_text(set: &str, kind: &str, bridges: &[BridgeRules]) -> String {
    let members = bridges.iter().flat_map(memberships).filter(|(member, _)| *member == set);
    let members: Vec<String> = members.map(|(_, element)| element).collect();
    format!("\tset {set} {{ {kind}{} }}\n", listed_elements(&members))
}

/// Nft has no words for an empty list.
fn listed_elements(elements: &[String]) -> String {
    match elements {
        [] => String::new(),
        _ => format!(" elements = {{ {} }};", elements.join(", ")),
    }
}

fn check_table(name: &str) -> Result<()> {
    let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'));
    let first = name.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic());
    if letters && first && name.len() <= 64 {
        return Ok(());
    }
    let rule = "a letter, then up to 63 letters, digits, '_', '-' or '.'";
    Err(Error::BadName { name: name.to_owned(), what: "an nftables table", rule })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        let bridge = |name: &str, internal: bool| BridgeRules {
            bridge: name.into(),
            subnets: vec!["10.0.0.1/24".parse().unwrap(), "fd00::/64".parse().unwrap()],
            masquerade: !internal,
            internal,
            hairpin: true,
        };
        let bridges = vec![bridge("ctr0", false), bridge("br-1", true)];
        Rules { table: "t-1".into(), bridges, ports: Vec::new() }
    }

    #[test]
    fn the_transaction_replaces_the_whole_table() {
        let expected = "\
add table inet t-1
delete table inet t-1
table inet t-1 {
\tset bridges { type ifname; elements = { \"ctr0\", \"br-1\" }; }
\tset masqueraded { type ifname; elements = { \"ctr0\" }; }
\tset internal { type ifname; elements = { \"br-1\" }; }
\tset hairpins { type ifname . ifname; elements = { \"ctr0\" . \"ctr0\", \"br-1\" . \"br-1\" }; }
\tset homes4 { type ipv4_addr . ifname; flags interval; elements = { 10.0.0.0/24 . \"ctr0\", 10.0.0.0/24 . \"br-1\" }; }
";
        let text = text(&rules()).unwrap();
        assert!(text.starts_with(expected), "{text}");
        assert!(
            text.contains("ports4 { type inet_proto . inet_service : ipv4_addr . inet_service; }"),
            "{text}"
        );
    }

    #[test]
    fn a_bridge_comes_into_the_sets_that_say_what_it_is() {
        let bridge = BridgeRules {
            bridge: "b".into(),
            subnets: Vec::new(),
            masquerade: false,
            internal: true,
            hairpin: false,
        };
        let expected = "add element inet t bridges { \"b\" }\nadd element inet t internal { \"b\" }\n";
        assert_eq!(elements("add", "t", &bridge), expected);
    }

    #[test]
    fn names_that_could_add_rules_are_refused() {
        let mut bad = rules();
        bad.table = "t { } flush ruleset".into();
        assert!(matches!(text(&bad), Err(Error::BadName { .. })));
        let mut bad = rules();
        bad.bridges[0].bridge = "x\" drop".into();
        assert!(matches!(text(&bad), Err(Error::BadName { .. })));
    }
}
