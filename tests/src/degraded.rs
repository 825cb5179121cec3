//! What a host can do that lacks a part of what networks are made of: the same, whether it is hidden from the daemon or truly missing.

use crate::lan::{AWAY, HOST, Lan};
use crate::{TestEngine, wait_until};

/// A container that answers with `page` at port 80.
pub const SERVE: [&str; 4] = ["busybox", "sh", "-c", "while true; do echo page | nc -l -p 80; done"];
/// A container that does nothing.
pub const SLEEP: [&str; 3] = ["busybox", "sleep", "600"];

/// Runs a container in the background.
#[track_caller]
pub fn run(engine: &TestEngine, name: &str, options: &[&str], program: &[&str]) {
    engine.docker(&[&["run", "-d", "--name", name], options, program].concat()).ok();
}

/// Whether a container reaches this name or address.
#[track_caller]
pub fn pings(engine: &TestEngine, from: &str, to: &str) {
    engine.docker(&["exec", from, "ping", "-c", "1", "-W", "2", to]).ok();
}

/// What `info` warns of.
#[track_caller]
pub fn warnings(engine: &TestEngine) -> String {
    engine.docker(&["info", "--format", "{{range .Warnings}}{{println .}}{{end}}"]).ok()
}

/// Whether a warning of `info` begins like this.
pub fn warns(engine: &TestEngine, words: &str) -> bool {
    warnings(engine).lines().any(|line| line.starts_with(words))
}

/// Names, neighbours, the world and published ports, by IPv4; networks have nothing else.
#[track_caller]
pub fn works_by_ipv4(lan: &Lan, engine: &TestEngine) {
    engine.docker(&["network", "create", "front"]).ok();
    assert_eq!(
        engine.docker(&["network", "inspect", "-f", "{{.EnableIPv6}}", "front", "bridge"]).ok(),
        "false\nfalse\n"
    );
    run(engine, "web", &["--network", "front", "-p", "8080:80", "--network-alias", "page"], &SERVE);
    run(engine, "near", &["--network", "front"], &SLEEP);
    run(engine, "usual", &["-p", "8081:80"], &SERVE);
    assert_eq!(engine.docker(&["port", "web"]).ok(), "80/tcp -> 0.0.0.0:8080\n");
    for name in ["web", "page", AWAY[0]] {
        pings(engine, "near", name);
    }
    for port in [8080, 8081] {
        wait_until("the port is reached", || lan.away().gets_page(HOST[0], port));
        wait_until("the port is reached by loopback", || lan.host().gets_page("127.0.0.1", port));
    }
    let at_six = ["run", "--rm", "-p", "[::1]:8082:80", "busybox", "true"];
    engine.docker(&at_six).fails(125, "the container has no address of that family");
}

/// What is asked for of IPv6 is refused on a kernel that has none, and nothing stays of it; on networks as [`works_by_ipv4`] leaves them.
#[track_caller]
pub fn has_no_ipv6(engine: &TestEngine) {
    assert!(warns(engine, "this kernel has no IPv6: networks have IPv4 only"), "{}", warnings(engine));
    let hosts = engine.docker(&["exec", "near", "cat", "/etc/hosts"]).ok();
    assert!(!hosts.contains("::"), "{hosts}");
    let before = engine.footprint();
    for asked in [&["--ipv6"][..], &["--subnet", "fd77::/64"], &["--ipv6", "--ipv4=false"]] {
        let create = [&["network", "create"], asked, &["six"]].concat();
        engine.docker(&create).fails(1, "the network six can't have IPv6: this kernel has none");
    }
    assert_eq!(engine.docker(&["network", "ls", "-q", "-f", "name=six"]).ok(), "");
    assert_eq!(engine.footprint(), before);
}

const NO_PORTS: &str = "ports can't be published on this host (--network host does without): ";

/// What works without a packet filter, and what does not, because of `cause`.
#[track_caller]
pub fn works_without_a_filter(lan: &Lan, engine: &TestEngine, cause: &str) {
    assert_eq!(engine.docker(&["run", "--rm", "busybox", "echo", "ran"]).ok(), "ran\n");
    for network in ["front", "side"] {
        engine.docker(&["network", "create", network]).ok();
    }
    run(engine, "web", &["--network", "front"], &SLEEP);
    run(engine, "near", &["--network", "front"], &SLEEP);
    run(engine, "far", &["--network", "side"], &SLEEP);
    pings(engine, "near", "web");
    let ping = |from: &str, to: &str| engine.docker(&["exec", from, "ping", "-c", "1", "-W", "1", to]).code;
    let address = engine.inspect("web", "{{.NetworkSettings.Networks.front.IPAddress}}");
    assert_eq!((ping("far", &address), ping("near", AWAY[0])), (1, 1), "nothing is forwarded");
    let missing = format!("containers do not reach the world, and no port can be published: {cause}");
    assert!(warns(engine, &missing), "{}", warnings(engine));
    assert!(!warns(engine, "networks are not kept apart"), "{}", warnings(engine));

    let refused = format!("{NO_PORTS}{cause}");
    let before = engine.footprint();
    // So many that they don't go into one message to the kernel.
    let many: Vec<String> = (0..501).map(|number| format!("{}:80", 20_000 + number)).collect();
    let many: Vec<&str> = many.iter().flat_map(|one| ["-p", one]).collect();
    let ports =
        [&["-p", "8080:80"][..], &["-p", "9000-9999:9000-9999/udp"], &["-P", "--expose", "80"], &many];
    for ports in ports {
        let run = [&["run", "-d", "--name", "shown", "--network", "front"], ports, &SLEEP[..]].concat();
        engine.docker(&run).fails(125, &refused);
        assert_eq!(engine.inspect("shown", "{{.State.Status}}"), "created");
        engine.docker(&["rm", "shown"]).ok();
    }
    let update = engine.cr(&["update", "--publish-add", "8080:80", "web"]);
    assert!(update.code != 0 && update.stderr.contains(&refused), "{update:?}");
    wait_until("all is as before", || engine.footprint() == before);
    // What has no port to publish is as ever.
    engine.docker(&["network", "connect", "side", "web"]).ok();
    pings(engine, "far", "web");
    engine.docker(&["network", "disconnect", "side", "web"]).ok();
    run(engine, "hosts", &["--network", "host", "-p", "80:80"], &SERVE);
    wait_until("a container on the host's network", || lan.away().gets_page(HOST[0], 80));

    engine.docker(&["rm", "-f", "web", "near", "far", "hosts"]).ok();
    engine.docker(&["network", "rm", "front", "side"]).ok();
    assert_eq!(lan.host().run(&["cat", "/proc/sys/net/ipv4/ip_forward"]).line(), "0");
}
