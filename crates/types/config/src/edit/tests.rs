//! Edits: what changes, and that nothing else does.

use super::*;
use crate::value_of;
use proptest::prelude::*;

fn set(text: &str, key: &str, value: &str) -> Result<String, String> {
    let path = KeyPath::parse(key).unwrap();
    let node = value_of(&path, value).unwrap();
    edit(text, &path, &node).map_err(|error| error.to_string())
}

const SEED: &str = "# container-runtime.yaml\nruntime:\n  max_containers: 1000   # enough\n\nnetwork:\n  default_bridge: \"ctr0\"\n  ip_range: \"172.20.0.0/16\"\n  dns_server: '172.20.0.1'\n  # the end\n\nregistry:\n  mirrors: # ask these\n    - \"https://registry-1.docker.io\"\n  serve:\n";

#[test]
fn one_value_changes_and_nothing_else() {
    for (key, value, old, new) in [
        ("runtime.max_containers", "7", ": 1000   #", ": 7   #"),
        ("network.ip_range", "172.30.0.0/16", "\"172.20.0.0/16\"", "\"172.30.0.0/16\""),
        ("network.dns_server", "192.0.2.1", "'172.20.0.1'", "'192.0.2.1'"),
        (
            "registry.mirrors",
            "https://a.example,https://b.example",
            "- \"https://registry-1.docker.io\"",
            "- https://a.example\n    - https://b.example",
        ),
        ("registry.mirrors", "", ": # ask these\n    - \"https://registry-1.docker.io\"", ": [] # ask these"),
        (
            "registry.mirrors",
            "{docker.io: [https://m]}",
            ": # ask these\n    - \"https://registry-1.docker.io\"",
            ": {docker.io: [https://m]} # ask these",
        ),
        ("network.mtu", "1400", "'172.20.0.1'\n", "'172.20.0.1'\n  mtu: 1400\n"),
        ("network.mtu", "", "'172.20.0.1'\n", "'172.20.0.1'\n  mtu: null\n"),
        ("registry.serve.listen", "127.0.0.1:5000", "  serve:\n", "  serve:\n    listen: 127.0.0.1:5000\n"),
        ("storage.gc.interval", "60", "  serve:\n", "  serve:\nstorage:\n  gc:\n    interval: 60\n"),
        ("runtime.labels", "a=b,true", "# enough\n", "# enough\n  labels: [a=b, \"true\"]\n"),
        ("runtime.default_runtime", "007", "# enough\n", "# enough\n  default_runtime: \"007\"\n"),
    ] {
        assert!(SEED.contains(old), "{old}");
        assert_eq!(set(SEED, key, value).unwrap(), SEED.replace(old, new), "{key}={value}");
    }
}

#[test]
fn other_ways_of_writing_stay_too() {
    for (text, key, value, new) in [
        ("", "network.mtu", "1400", "network:\n  mtu: 1400\n"),
        ("# only words", "network.mtu", "1400", "# only words\nnetwork:\n  mtu: 1400\n"),
        ("network: {mtu: 1500}", "network.mtu", "1400", "network: {mtu: 1400}"),
        ("network: {mtu: 1500,}\n", "network.ipv6", "true", "network: {mtu: 1500, ipv6: true}\n"),
        ("network: {}\n", "network.mtu", "1400", "network: {mtu: 1400}\n"),
        ("network: ~\n", "network.mtu", "1400", "network: {mtu: 1400}\n"),
        ("network:\n    mtu:\n", "network.mtu", "1400", "network:\n    mtu: 1400\n"),
        ("network:\n    mtu: 1", "network.ipv6", "true", "network:\n    mtu: 1\n    ipv6: true\n"),
        (
            "{\"network\": {\"mtu\": 1500}}",
            "network.ip_range",
            "10.0.0.0/8",
            "{\"network\": {\"mtu\": 1500, \"ip_range\": \"10.0.0.0/8\"}}",
        ),
        (
            "{\n  \"network\": {\n    \"mtu\": 1500\n  }\n}\n",
            "runtime.max_containers",
            "3",
            "{\n  \"network\": {\n    \"mtu\": 1500\n  },\n  \"runtime\": {\"max_containers\": 3}\n}\n",
        ),
        (
            "{\n  \"dns\": {\n    \"search\": [\"a\"]\n  }\n}\n",
            "dns.search",
            "b,c",
            "{\n  \"dns\": {\n    \"search\": [\"b\", \"c\"]\n  }\n}\n",
        ),
        (
            "logging:\n  options:\n    max-size: 1m # x\n    max-file: \"2\"\n",
            "logging.options",
            "max-size=2m",
            "logging:\n  options: {max-size: 2m}\n",
        ),
        (
            "logging:\n  options: {a: b}\n",
            "logging.options.max-size",
            "2m",
            "logging:\n  options: {a: b, max-size: 2m}\n",
        ),
    ] {
        assert_eq!(set(text, key, value).as_deref(), Ok(new), "{text}");
    }
}

#[test]
fn what_would_change_more_is_refused() {
    let alias = "registry:\n  insecure: &x [a]\n  config_dirs: *x\n";
    assert_eq!(
        set(alias, "registry.insecure", "b").unwrap_err(),
        "registry.insecure can't be changed without changing more of the file: change it by hand"
    );
    assert_eq!(
        set("registry:\n  mirrors: [a]\n", "registry.mirrors.x", "b").unwrap_err(),
        "registry.mirrors has a value in the file, where a section would have to be: change the file by hand"
    );
    assert!(set("a: [\n", "network.mtu", "1400").unwrap_err().starts_with("1:4: "));
    assert!(set("---\n...\n", "runtime.idle_shims", "1").is_err());
}

/// Settings as somebody might write them.
fn texts() -> impl Strategy<Value = String> {
    let comment = prop_oneof![Just(""), Just("  # why"), Just(" #")];
    let between = prop_oneof![Just(""), Just("\n"), Just("# a line\n"), Just("  # a line further in\n\n")];
    let entry = prop_oneof![
        Just(("network", "  mtu: 1400")),
        Just(("network", "  ip_range: '10.0.0.0/8'")),
        Just(("runtime", "  labels:\n    - a=b   # one\n    - \"c # d\"")),
        Just(("runtime", "  max_containers: 5")),
        Just((
            "registry",
            "  mirrors:\n    docker.io: [https://a, \"https://b\"]\n    x.example:\n    - https://c"
        )),
        Just(("logging", "  options: {max-size: 1m,\n    max-file: \"3\"}")),
        Just(("storage", "  gc:\n      images:\n        keep: []\n      interval: 9")),
        Just(("dns", "")),
    ];
    proptest::collection::vec((entry, comment, between), 0..6).prop_map(|parts| {
        let mut seen: Vec<&str> = Vec::new();
        let mut text = String::new();
        for ((section, lines), comment, between) in parts {
            if !seen.contains(&section) {
                seen.push(section);
                let newline = if lines.is_empty() { "" } else { "\n" };
                text.push_str(&format!("{between}{section}:{comment}{newline}{lines}{comment}\n"));
            }
        }
        text
    })
}

fn changes() -> impl Strategy<Value = (&'static str, String)> {
    let word = "[a-z#: '\"{}\\[\\],&*!|>%@-]{1,9}";
    prop_oneof![
        (68_u32..9000).prop_map(|mtu| ("network.mtu", mtu.to_string())),
        word.prop_map(|word| ("runtime.default_runtime", word)),
        word.prop_map(|word| ("logging.options.max-size", word)),
        proptest::collection::vec("[a-z#:=]{1,5}", 0..4)
            .prop_map(|words| ("runtime.labels", words.join(","))),
        (0_u32..99).prop_map(|seconds| ("storage.gc.interval", seconds.to_string())),
        Just(("storage.gc.images.max_bytes", "20g".to_owned())),
        Just(("registry.mirrors", "https://z".to_owned())),
        Just(("dns.servers", "192.0.2.1".to_owned())),
    ]
}

proptest! {
    #[test]
    fn every_edit_says_the_old_text_with_the_change(text in texts(), (key, value) in changes()) {
        let path = KeyPath::parse(key).unwrap();
        let node = value_of(&path, &value).unwrap();
        let new = edit(&text, &path, &node).map_err(|error| TestCaseError::fail(format!("{error}:\n{text}")))?;
        let (before, after) = (parse(&text).unwrap(), parse(&new).unwrap());
        let expected = with(before.root.as_ref(), path.parts(), &node);
        prop_assert!(after.root.unwrap().says_what(&expected), "{text}\n=>\n{new}");
        // Whatever line the change did not touch is there still, in its order.
        let mut lines = new.lines();
        let mut missing = text.lines().filter(|line| !lines.clone().any(|new| new == *line)).count();
        missing += text.lines().filter(|line| new.lines().any(|new| new == *line)).filter(|line| !lines.any(|new| new == *line)).count();
        let touched = match key { "runtime.labels" | "registry.mirrors" => 4, _ => 1 };
        prop_assert!(missing <= touched, "{missing} lines of\n{text}\nare not in\n{new}");
    }
}
