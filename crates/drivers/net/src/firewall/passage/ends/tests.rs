//! Chains of others as nft lists them, and what is to be done about each.

use super::*;
use crate::firewall::listing::read;

const OURS: &str = "comment \"mine\"";

/// Numbers the rules as `nft -a` does, from 10 on.
fn listed(chains: &[(&str, &str, &[&str])]) -> String {
    let mut text =
        "table inet filter { # handle 1\n\tset bad { # handle 2\n\t\ttype ifname\n\t}\n".to_owned();
    let mut handle = 10;
    for (name, base, rules) in chains {
        text.push_str(&format!("\n\tchain {name} {{ # handle 3\n"));
        if !base.is_empty() {
            text.push_str(&format!("\t\ttype filter hook {base};\n"));
        }
        for rule in *rules {
            text.push_str(&format!("\t\t{rule} # handle {handle}\n"));
            handle += 1;
        }
        text.push_str("\t}\n");
    }
    text + "}\n"
}

const DROP: &str = "forward priority filter; policy drop";
const ACCEPT: &str = "forward priority filter; policy accept";
const MARKED: &str = "meta mark & 0x40000000 == 0x40000000 counter packets 0 bytes 0 accept comment \"mine\"";
const OTHERS: &str =
    "meta mark & 0x40000000 == 0x40000000 counter packets 0 bytes 0 accept comment \"yours\"";

#[track_caller]
fn check(chains: &[(&str, &str, &[&str])], expected: &[(&str, &[&str], Option<End<'_>>)]) {
    let text = listed(chains);
    let tables = read(&text);
    let found = work(&tables[0], OURS);
    let found: Vec<_> = found.iter().map(|work| (work.chain, &work.out[..], work.end)).collect();
    assert_eq!(found, expected);
}

#[test]
fn where_the_rest_is_dropped_is_found_and_where_some_are_is_not() {
    let chains: [(&str, &str, &[&str]); 8] = [
        (
            "FORWARD",
            DROP,
            &[
                "ct state established accept",
                "ip saddr 192.0.2.1 jump blocked",
                "jump zones",
                "reject with icmpx admin-prohibited",
            ],
        ),
        ("zones", "", &["iifname \"eth1\" goto inner", "goto outer"]),
        ("outer", "", &["jump nothing", "counter packets 0 bytes 0 reject"]),
        ("nothing", "", &[]),
        ("inner", "", &["drop"]),
        ("blocked", "", &["drop"]),
        ("second", DROP, &["udp dport 53 drop"]),
        ("INPUT", "input priority filter; policy drop", &["drop"]),
    ];
    check(
        &chains,
        &[
            ("FORWARD", &[], Some(End::Rule("13"))),
            ("outer", &[], Some(End::Rule("17"))),
            ("second", &[], Some(End::Policy)),
        ],
    );
}

/// A chain that logs and drops is a word for dropping: what others are sent to it for stays denied.
#[test]
fn a_chain_that_only_denies_is_left_as_it_is() {
    let chains: [(&str, &str, &[&str]); 2] = [
        ("FORWARD", ACCEPT, &["ip saddr 172.16.0.0/12 ip daddr 10.0.0.0/8 jump LOGDROP", "jump LOGDROP"]),
        ("LOGDROP", "", &["limit rate 3/minute burst 5 packets log prefix \"no: \" level info", "drop"]),
    ];
    check(&chains, &[("FORWARD", &[], Some(End::Rule("11")))]);
}

#[test]
fn who_is_let_back_by_a_chain_that_denies_is_its_owners_to_say() {
    let user = &["ip saddr 192.0.2.0/24 return", "drop"];
    check(&[("FORWARD", ACCEPT, &["jump USER"]), ("USER", "", user)], &[("USER", &[], Some(End::Owners))]);
    check(&[("FORWARD", ACCEPT, &["jump USER"]), ("USER", "", &["return"])], &[]);
}

#[test]
fn a_last_rule_may_log_and_be_commented() {
    for last in [
        "log prefix \"fwd: drop \" drop",
        "counter packets 1 bytes 2 log level info drop",
        "drop comment \"all the rest\"",
        "log prefix \"x\" flags all reject with icmp host-prohibited",
    ] {
        check(
            &[("FORWARD", ACCEPT, &["tcp dport 22 accept", last])],
            &[("FORWARD", &[], Some(End::Rule("11")))],
        );
    }
    for last in [
        "log prefix \"drop\"",
        "tcp dport 22 drop",
        "limit rate 3/minute drop",
        "accept",
        "meta nfproto ipv6 drop",
    ] {
        check(&[("FORWARD", ACCEPT, &[last])], &[]);
    }
}

#[test]
fn our_rule_follows_the_end() {
    // It is there.
    check(&[("FORWARD", DROP, &["tcp dport 1 drop", MARKED])], &[]);
    check(&[("FORWARD", ACCEPT, &[MARKED, OTHERS, "drop"])], &[]);
    // Somebody has added rules behind it.
    let appended = &[MARKED, "ip saddr 172.17.0.0/16 drop"];
    check(&[("FORWARD", DROP, appended)], &[("FORWARD", &["10"], Some(End::Policy))]);
    let before = &[MARKED, "ip saddr 172.17.0.0/16 drop", "drop"];
    check(&[("FORWARD", ACCEPT, before)], &[("FORWARD", &["10"], Some(End::Rule("12")))]);
    // There is nothing to be passed any more.
    check(&[("FORWARD", ACCEPT, &[MARKED])], &[("FORWARD", &["10"], None)]);
    // Two are one too many.
    check(&[("FORWARD", DROP, &[MARKED, MARKED])], &[("FORWARD", &["10"], None)]);
}

#[test]
fn a_policy_holds_behind_a_goto_too_and_calls_in_a_circle_end() {
    let zones = ("zones", "", &["tcp dport 22 accept"][..]);
    check(&[("FORWARD", DROP, &["goto zones"]), zones], &[("zones", &[], Some(End::Policy))]);
    check(&[("FORWARD", DROP, &["jump zones"]), zones], &[("FORWARD", &[], Some(End::Policy))]);
    check(&[("FORWARD", ACCEPT, &["jump a"]), ("a", "", &["jump b"]), ("b", "", &["jump a"])], &[]);
}
