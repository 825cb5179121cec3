//! The packet filter: one nftables table of the engine's own, written as a whole in one transaction.
//!
//! An `accept` in this table ends this table's chain only. Where another table drops a packet, such as iptables'
//! `FORWARD` chain with the policy DROP that another engine sets, it is dropped: [`write()`] names such chains.

use crate::{Error, Result, link};
use ipnet::IpNet;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What the table should do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// Its name, in the family `inet`.
    pub table: String,
    /// The bridges it serves.
    pub bridges: Vec<BridgeRules>,
}

/// What a bridge needs of the packet filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BridgeRules {
    /// Its name.
    pub bridge: String,
    /// The subnets behind it.
    pub subnets: Vec<IpNet>,
    /// Whether they leave by other devices under the host's address.
    pub masquerade: bool,
}

/// Writes the table, in place of the one that may be there, atomically. Runs `nft`: about 5 ms.
///
/// Answers the chains of others (`family table chain`) that drop forwarded packets unless a rule of theirs accepts them.
///
/// # Errors
/// [`Error::NoNft`] and [`Error::Nft`], of the class `Unsupported`, when this host has no nftables.
pub fn write(rules: &Rules) -> Result<Vec<String>> {
    let listed = run(&rules.table, &format!("{}list chains\n", text(rules)?))?;
    Ok(forward_drops(&listed))
}

/// Deletes the table. Not an error when it, or nftables, is not there.
pub fn remove(table: &str) -> Result<()> {
    check_table(table)?;
    match run(table, &format!("add table inet {table}\ndelete table inet {table}\n")) {
        Ok(_) | Err(Error::NoNft) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The transaction that [`write()`] hands to `nft`.
pub fn text(rules: &Rules) -> Result<String> {
    let table = &rules.table;
    check_table(table)?;
    for bridge in &rules.bridges {
        link::check_name(&bridge.bridge)?;
    }
    // `add` makes the `delete` succeed at the first time too.
    let mut text = format!("add table inet {table}\ndelete table inet {table}\ntable inet {table} {{\n");
    text.push_str("\tchain forward {\n\t\ttype filter hook forward priority filter; policy accept;\n");
    text.push_str("\t\tct state established,related accept\n");
    for BridgeRules { bridge, .. } in &rules.bridges {
        line(&mut text, format_args!("iifname \"{bridge}\" accept"));
    }
    for BridgeRules { bridge, .. } in &rules.bridges {
        line(&mut text, format_args!("oifname \"{bridge}\" drop"));
    }
    text.push_str(
        "\t}\n\tchain postrouting {\n\t\ttype nat hook postrouting priority srcnat; policy accept;\n",
    );
    for rules in rules.bridges.iter().filter(|rules| rules.masquerade) {
        for subnet in &rules.subnets {
            let family = if subnet.addr().is_ipv4() { "ip" } else { "ip6" };
            let subnet = subnet.trunc();
            line(
                &mut text,
                format_args!("{family} saddr {subnet} oifname != \"{}\" masquerade", rules.bridge),
            );
        }
    }
    text.push_str("\t}\n}\n");
    Ok(text)
}

fn line(text: &mut String, rule: std::fmt::Arguments<'_>) {
    // Writing to a String can't fail.
    let _ = writeln!(text, "\t\t{rule}");
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

/// Reads what `list chains` prints: `table ip filter {`, `chain FORWARD {`, `type … hook forward …; policy drop;`.
fn forward_drops(listed: &str) -> Vec<String> {
    let (mut table, mut chain) = ("", "");
    let mut found = Vec::new();
    for line in listed.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("table ") {
            table = name.trim_end_matches([' ', '{']);
        } else if let Some(name) = line.strip_prefix("chain ") {
            chain = name.trim_end_matches([' ', '{']);
        } else if line.contains(" hook forward ") && line.ends_with("policy drop;") {
            found.push(format!("{table} {chain}"));
        }
    }
    found
}

fn run(table: &str, script: &str) -> Result<String> {
    let program = find_nft().ok_or(Error::NoNft)?;
    let output = feed(&program, script).map_err(|cause| Error::RunNft { program, cause })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let printed = String::from_utf8_lossy(&output.stderr);
    let message = printed.lines().next().unwrap_or("nft printed no reason").to_owned();
    Err(Error::Nft { table: table.to_owned(), message })
}

fn feed(program: &Path, script: &str) -> io::Result<Output> {
    let mut command = Command::new(program);
    command.args(["-f", "-"]).env_clear();
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let written = child.stdin.take().map_or(Ok(()), |mut stdin| stdin.write_all(script.as_bytes()));
    let output = child.wait_with_output()?;
    // A program that fails before it has read everything says more than the broken pipe.
    if output.status.success() {
        written?;
    }
    Ok(output)
}

/// The search path of a service often lacks the directories for administrators.
fn find_nft() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from);
    std::env::split_paths(&path)
        .chain(usual)
        .map(|directory| directory.join("nft"))
        .find(|file| file.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> Rules {
        Rules {
            table: "t-1".into(),
            bridges: vec![BridgeRules {
                bridge: "ctr0".into(),
                subnets: vec!["172.20.0.1/16".parse().unwrap(), "fd00:1::1/64".parse().unwrap()],
                masquerade: true,
            }],
        }
    }

    #[test]
    fn the_transaction_replaces_the_whole_table() {
        let expected = "\
add table inet t-1
delete table inet t-1
table inet t-1 {
\tchain forward {
\t\ttype filter hook forward priority filter; policy accept;
\t\tct state established,related accept
\t\tiifname \"ctr0\" accept
\t\toifname \"ctr0\" drop
\t}
\tchain postrouting {
\t\ttype nat hook postrouting priority srcnat; policy accept;
\t\tip saddr 172.20.0.0/16 oifname != \"ctr0\" masquerade
\t\tip6 saddr fd00:1::/64 oifname != \"ctr0\" masquerade
\t}
}
";
        assert_eq!(text(&rules()).unwrap(), expected);
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

    #[test]
    fn chains_that_drop_by_policy_are_named() {
        let listed = "table inet mine {\n\tchain forward {\n\t\ttype filter hook forward priority filter; policy accept;\n\t}\n}\n\
            table ip filter {\n\tchain DOCKER {\n\t}\n\tchain FORWARD {\n\t\ttype filter hook forward priority filter; policy drop;\n\t}\n\
            \tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\t}\n}\n";
        assert_eq!(forward_drops(listed), ["ip filter FORWARD"]);
    }
}
