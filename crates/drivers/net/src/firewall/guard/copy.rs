//! A table's input chains as questions.

use super::DENIED;
use crate::firewall::listing::{Chain, Table};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// The chain that a copy goes to where the original denies.
const DENIES: &str = "container-runtime-denied";
const DENIES_NEXT: &str = "container-runtime-denied,";

/// The table `name` that asks what this one says of a packet; none if it lets everything in. Rules that can't be asked are told.
pub(super) fn copy(table: &Table<'_>, name: &str, left_out: &mut Vec<String>) -> Option<String> {
    let asked: Vec<&Chain<'_>> =
        table.chains.iter().filter(|chain| chain.is_input() && may_deny(chain)).collect();
    if asked.is_empty() {
        return None;
    }
    let mut text = format!("table {} {name} {{\n", table.family());
    for object in table.objects.iter().filter(|object| !object[0].starts_with("\tflowtable ")) {
        object.iter().for_each(|line| {
            let _ = writeln!(text, "{}", without_denials(line));
        });
    }
    let _ = writeln!(text, "\tchain {DENIES} {{\n\t\tmeta mark set meta mark or {DENIED:#x} accept\n\t}}");
    for chain in called(table) {
        let _ = writeln!(text, "\tchain {} {{", chain.name);
        rules(chain, &mut text, left_out);
        text.push_str("\t}\n");
    }
    for chain in asked {
        let _ = writeln!(text, "\tchain {} {{", chain.name);
        text.push_str("\t\ttype filter hook prerouting priority dstnat - 1; policy accept;\n");
        text.push_str("\t\tct state != new accept\n\t\tfib daddr type != local accept\n");
        rules(chain, &mut text, left_out);
        if chain.base.is_some_and(|(_, drops)| drops) {
            let _ = writeln!(text, "\t\tgoto {DENIES}");
        }
        text.push_str("\t}\n");
    }
    text.push_str("}\n");
    Some(text)
}

/// Whether a line of a copy is a rule, which it can do without.
pub(super) fn is_rule(line: Option<&str>) -> bool {
    line.and_then(|line| line.strip_prefix("\t\t")).is_some_and(|rule| {
        !["type ", "ct state != new accept", "fib daddr type != local accept", "elements ", "flags "]
            .iter()
            .any(|head| rule.starts_with(head))
    })
}

fn may_deny(chain: &Chain<'_>) -> bool {
    !chain.rules.is_empty() || chain.base.is_some_and(|(_, drops)| drops)
}

/// Chains that are not hooked, those first that call none: a chain is known before it is called.
fn called<'t, 'a>(table: &'t Table<'a>) -> Vec<&'t Chain<'a>> {
    let mut wanted = BTreeSet::new();
    let mut found = Vec::new();
    let maps = table.objects.iter().flatten().copied();
    for target in maps.flat_map(targets) {
        visit(table, target, &mut wanted, &mut found);
    }
    for chain in table.chains.iter().filter(|chain| chain.is_input()) {
        for target in chain.rules.iter().copied().flat_map(targets) {
            visit(table, target, &mut wanted, &mut found);
        }
    }
    found
}

fn visit<'t, 'a>(
    table: &'t Table<'a>,
    name: &'a str,
    seen: &mut BTreeSet<&'a str>,
    found: &mut Vec<&'t Chain<'a>>,
) {
    if !seen.insert(name) {
        return;
    }
    let Some(chain) = table.chains.iter().find(|chain| chain.name == name && chain.base.is_none()) else {
        return;
    };
    for target in chain.rules.iter().copied().flat_map(targets) {
        visit(table, target, seen, found);
    }
    found.push(chain);
}

/// The chains that a line calls.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    let mut words = line.split([' ', ',']);
    std::iter::from_fn(move || {
        words.by_ref().find(|word| matches!(*word, "jump" | "goto"))?;
        words.next()
    })
}

fn rules(chain: &Chain<'_>, text: &mut String, left_out: &mut Vec<String>) {
    for rule in &chain.rules {
        match question(rule).filter(|_| can_be_asked(rule)) {
            None => left_out.push((*rule).to_owned()),
            Some(question) => {
                let _ = writeln!(text, "\t\t{question}");
            }
        }
    }
}

/// What only iptables knows can't be read by `nft`; and who asks a program about packets has its answer later.
fn can_be_asked(rule: &str) -> bool {
    !rule.contains("xt match ") && !rule.contains("xt target ") && !words(rule).contains(&"queue")
}

/// A rule without what it does to packets or tells of them; where it denies, it goes to who says so. None where it can't be told what
/// of it is a condition.
fn question(rule: &str) -> Option<String> {
    let mut out: Vec<&str> = Vec::new();
    let words: Vec<&str> = words(rule);
    let mut at = 0;
    while let Some(word) = words.get(at) {
        match *word {
            // Of a map of verdicts.
            "drop," => {
                out.extend(["goto", DENIES_NEXT]);
                at += 1;
            }
            // It is the last.
            "comment" => break,
            "log" => at = behind_log(&words, at + 1),
            "reject" => {
                out.extend(["goto", DENIES]);
                break;
            }
            "drop" => {
                out.extend(["goto", DENIES]);
                at += 1;
            }
            "set" => {
                // What stands before it is the thing that is set, `meta mark`, `ct mark`, `ip dscp`; behind it one value.
                out.truncate(out.len().saturating_sub(2));
                at += 2;
                if words.get(at).is_some_and(|next| !ENDS.contains(next)) {
                    return None;
                }
            }
            other => {
                out.push(other);
                at += 1;
            }
        }
    }
    Some(out.join(" "))
}

/// What a rule can go on with when its conditions are over.
const ENDS: [&str; 9] =
    ["accept", "drop", "reject", "jump", "goto", "return", "continue", "counter", "comment"];

/// The first word that is no argument of `log`.
fn behind_log(words: &[&str], from: usize) -> usize {
    let mut at = from;
    while let Some(word) = words.get(at) {
        at += match *word {
            "prefix" | "level" | "group" | "snaplen" | "queue-threshold" => 2,
            // `flags tcp sequence,options`, `flags all`
            "flags" if words.get(at + 1) == Some(&"tcp") || words.get(at + 1) == Some(&"ip") => 3,
            "flags" => 2,
            _ => return at,
        };
    }
    at
}

/// The same for a line of a map: of verdicts only the denials are others.
fn without_denials(line: &str) -> String {
    if line.contains(": drop") {
        line.replace(": drop", &format!(": goto {DENIES}"))
    } else {
        line.to_owned()
    }
}

/// Words; what stands in quotes is one.
fn words(rule: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = rule.trim();
    while !rest.is_empty() {
        let end = match rest.strip_prefix('"') {
            Some(quoted) => quoted.find('"').map_or(rest.len(), |end| end + 2),
            None => rest.find(' ').unwrap_or(rest.len()),
        };
        let (word, behind) = rest.split_at(end);
        found.push(word);
        rest = behind.trim_start();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::firewall::listing::read;

    #[test]
    fn a_rule_becomes_a_question() {
        for (rule, asked) in [
            ("tcp dport 22 counter accept", "tcp dport 22 counter accept"),
            ("ct state invalid drop", "ct state invalid goto container-runtime-denied"),
            ("counter reject with icmp type host-prohibited", "counter goto container-runtime-denied"),
            ("limit rate 3/minute log prefix \"a drop \" level debug", "limit rate 3/minute"),
            ("ct state new log prefix \"x\" tcp dport 22 accept", "ct state new tcp dport 22 accept"),
            ("log group 2 drop", "goto container-runtime-denied"),
            ("iif \"lo\" accept comment \"drop it\"", "iif \"lo\" accept"),
            ("tcp dport 1 meta mark set 0x1 accept", "tcp dport 1 accept"),
            (
                "ct state vmap { invalid : drop, established : accept }",
                "ct state vmap { invalid : goto container-runtime-denied, established : accept }",
            ),
            (
                "add @flood { ip saddr limit rate over 10/second burst 5 packets } drop",
                "add @flood { ip saddr limit rate over 10/second burst 5 packets } goto container-runtime-denied",
            ),
        ] {
            assert_eq!(question(rule).unwrap(), asked);
        }
        assert_eq!(question("meta mark set meta mark or 0x1 ip saddr 10.0.0.0/8 accept"), None);
    }

    #[test]
    fn a_table_is_copied_with_the_chains_that_it_calls() {
        let listed = "table ip filter {\n\tset ok {\n\t\ttype ipv4_addr\n\t}\n\n\tchain last {\n\t\tdrop\n\t}\n\n\tchain mid {\n\t\tip saddr @ok accept\n\
            \t\tjump last\n\t}\n\n\tchain other {\n\t\tdrop\n\t}\n\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy drop;\n\
            \t\txt match recent counter drop\n\t\ttcp dport 8080 queue to 1\n\t\tjump mid\n\t}\n\n\tchain FORWARD {\n\t\ttype filter hook forward priority filter; policy drop;\n\t}\n}\n";
        let mut left_out = Vec::new();
        let copied = copy(&read(listed)[0], "c", &mut left_out).unwrap();
        let expected = "\
table ip c {
\tset ok {
\t\ttype ipv4_addr
\t}
\tchain container-runtime-denied {
\t\tmeta mark set meta mark or 0x20000000 accept
\t}
\tchain last {
\t\tgoto container-runtime-denied
\t}
\tchain mid {
\t\tip saddr @ok accept
\t\tjump last
\t}
\tchain INPUT {
\t\ttype filter hook prerouting priority dstnat - 1; policy accept;
\t\tct state != new accept
\t\tfib daddr type != local accept
\t\tjump mid
\t\tgoto container-runtime-denied
\t}
}
";
        assert_eq!(copied, expected);
        assert_eq!(left_out, ["xt match recent counter drop", "tcp dport 8080 queue to 1"]);
    }

    #[test]
    fn what_lets_everything_in_is_not_asked() {
        let listed = "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy accept;\n\t}\n}\n";
        assert_eq!(copy(&read(listed)[0], "c", &mut Vec::new()), None);
    }
}
