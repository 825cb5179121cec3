//! What an engine holds while it runs, counted: for tests that compare two moments of its life.
//!
//! The leak check looks at what is left of a whole engine; this looks at what its cycles leave in one that goes on.

use crate::TestEngine;
use crate::lan::Host;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// How many there are of each kind, and texts in which every line counts.
pub type Inventory = BTreeMap<String, usize>;

/// What is there now: links, namespaces, mounts, cgroups and processes by kind; descriptors and threads of the engine's
/// processes; and each rule, address and route of the host that it is on.
pub fn take(engine: &TestEngine, host: &Host) -> Inventory {
    let mut found = Inventory::new();
    let mut count = |line: String| *found.entry(line).or_default() += 1;
    for line in engine.footprint() {
        if let Some((pid, name)) = resident(&line) {
            held(pid, name).into_iter().for_each(&mut count);
        }
        count(kind(&line));
    }
    held(engine.daemon_pid(), "daemon").into_iter().for_each(&mut count);
    for (what, line) in kernel(host) {
        count(format!("{what} {line}"));
    }
    found
}

/// What differs, in words; empty: nothing.
pub fn difference(before: &Inventory, after: &Inventory) -> Vec<String> {
    let kinds = before.keys().chain(after.keys().filter(|kind| !before.contains_key(*kind)));
    let of = |inventory: &Inventory, kind: &String| inventory.get(kind).copied().unwrap_or_default();
    let pairs = kinds.map(|kind| (kind, of(before, kind), of(after, kind)));
    pairs.filter(|(_, was, is)| was != is).map(|(kind, was, is)| format!("{was} → {is}: {kind}")).collect()
}

/// netd, which lives as long as the engine does: `process PID PROGRAM netd …`.
fn resident(line: &str) -> Option<(u32, &'static str)> {
    let mut words = line.strip_prefix("process ")?.split(' ');
    let pid = words.next()?.parse().ok()?;
    words.any(|word| word == "netd").then_some((pid, "netd"))
}

/// A line of the footprint without what tells one container from another.
fn kind(line: &str) -> String {
    let words = line.split([' ', '/']).map(|word| {
        let names_one =
            word.len() >= 8 && word.bytes().filter(u8::is_ascii_hexdigit).count() * 2 > word.len();
        let is_device = word.starts_with("veth") || word.starts_with("br-");
        let is_number = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit());
        if is_device {
            &word[..3]
        } else if names_one || is_number {
            "*"
        } else {
            word
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Open descriptors by kind, and threads.
fn held(pid: u32, name: &str) -> Vec<String> {
    let entries = |part: &str| fs::read_dir(format!("/proc/{pid}/{part}")).into_iter().flatten().flatten();
    let target = |path: &Path| fs::read_link(path).map(|target| target.display().to_string());
    let descriptors = entries("fd").filter_map(|entry| target(&entry.path()).ok());
    // `socket:[123]`, `/a/file`
    let descriptors = descriptors.map(|target| target.split('[').next().unwrap_or_default().to_owned());
    let descriptors = descriptors.map(|target| format!("{name} descriptor {}", kind(&target)));
    descriptors.chain(entries("task").map(|_| format!("{name} thread"))).collect()
}

/// Rules, addresses and routes of the host, line by line. What the kernel gives each port of a bridge by itself, and in its own
/// time, is left out.
fn kernel(host: &Host) -> Vec<(&'static str, String)> {
    let listed = [
        ("link", ["ip", "-o", "link"].as_slice()),
        ("rule", &["nft", "-n", "list", "ruleset"]),
        ("address", &["ip", "-o", "address"]),
        ("route", &["ip", "-4", "route", "show", "table", "all"]),
        ("route", &["ip", "-6", "route", "show", "table", "all"]),
    ];
    let lines = listed.into_iter().flat_map(|(what, command)| {
        let text = host.run(command).ok();
        text.lines().map(|line| (what, line.trim().to_owned())).collect::<Vec<_>>()
    });
    let own_doing =
        |line: &str| line.contains("fe80:") || line.contains("ff00::/8") || line.contains("linkdown");
    let named = |what, line: &str| match what {
        // `7: web inet …`: with a number that a device of the same name would not get again.
        "address" => line.split_once(": ").map_or(line, |(_, rest)| rest).to_owned(),
        "link" => kind(line.split([':', '@']).nth(1).unwrap_or_default().trim()),
        _ => line.to_owned(),
    };
    lines.filter(|(_, line)| !own_doing(line)).map(|(what, line)| (what, named(what, &line))).collect()
}
