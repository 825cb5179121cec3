//! Names: containers find each other, the host and the world by them, whatever happens to netd and the daemon.

use tests::{TestEngine, wait_until, with_engine};

/// What a container is told of a name, in the words of busybox: the IPv4 addresses in order; empty if there are none.
fn lookup(engine: &TestEngine, from: &str, name: &str) -> Vec<String> {
    let told = engine.shell(from, &format!("nslookup -type=a {name} || true"));
    let (_, answers) = told.split_once("\n\n").unwrap_or_default();
    answers.lines().filter_map(|line| line.strip_prefix("Address: ")).map(str::to_owned).collect()
}

/// The number of the process that answers.
pub(crate) fn netd(engine: &TestEngine) -> Option<u32> {
    let state = format!("netd\0--state\0{}", engine.directory().join("state").display());
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let mut pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.find(|pid| {
        let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&arguments).contains(&state)
    })
}

pub(crate) fn kill(pid: u32) {
    let pid = rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
}

#[test]
fn names_follow_containers_over_networks() {
    with_engine(|engine| {
        engine.docker(&["network", "create", "front"]).ok();
        engine.docker(&["network", "create", "back"]).ok();
        engine.sleeper("web", &["--network", "front", "--network-alias", "site", "--hostname", "www"]);
        engine.sleeper("web2", &["--network", "front", "--network-alias", "site"]);
        engine.sleeper("data", &["--network", "back"]);
        let web = engine.address("web", "front");
        let short = engine.inspect("web", "{{.Id}}")[..12].to_owned();
        for name in ["web", "WEB.", "web.front", "www", &short] {
            assert_eq!(lookup(engine, "web2", name), [web.as_str()], "{name}");
        }
        // Both have the alias, each in front in its turn.
        let firsts: std::collections::BTreeSet<_> =
            (0..8).map(|_| lookup(engine, "web", "site")).inspect(|all| assert_eq!(all.len(), 2)).collect();
        assert_eq!(firsts.len(), 2);
        let back = engine.shell("web2", &format!("nslookup {web}"));
        assert!(back.contains("name = web.front"), "{back}");

        assert!(lookup(engine, "web", "data").is_empty(), "another network's");
        engine.docker(&["network", "connect", "--alias", "other", "back", "web"]).ok();
        assert_eq!(lookup(engine, "web", "data"), [engine.address("data", "back")]);
        assert_eq!(lookup(engine, "data", "other"), [engine.address("web", "back")]);
        engine.docker(&["network", "disconnect", "back", "web"]).ok();
        assert!(lookup(engine, "web", "data").is_empty() && lookup(engine, "data", "other").is_empty());

        engine.docker(&["rename", "web2", "renamed"]).ok();
        assert!(lookup(engine, "web", "web2").is_empty());
        assert_eq!(lookup(engine, "web", "renamed"), [engine.address("renamed", "front")]);
        let names = engine.inspect("renamed", "{{json .NetworkSettings.Networks.front.DNSNames}}");
        assert!(names.starts_with("[\"renamed\",\"site\",\""), "{names}");
        engine.docker(&["kill", "renamed"]).ok();
        engine.wait_for_state("renamed", "exited");
        wait_until("its name is gone", || lookup(engine, "web", "renamed").is_empty());
        engine.remove(&["web", "renamed", "data"], &["front", "back"]);
    });
}

#[test]
fn a_container_is_found_as_soon_as_it_was_started_and_finds_itself() {
    with_engine(|engine| {
        engine.docker(&["network", "create", "quick"]).ok();
        engine.sleeper("old", &["--network", "quick"]);
        // Its first instruction is a question for its own name.
        let own = engine
            .docker(&["run", "--rm", "--name", "own", "--network", "quick", "busybox", "nslookup", "own"])
            .ok();
        assert!(own.contains("Name:\town"), "{own}");
        for _ in 0..5 {
            engine.sleeper("new", &["--network", "quick"]);
            assert_eq!(lookup(engine, "old", "new"), [engine.address("new", "quick")]);
            engine.docker(&["rm", "-f", "new"]).ok();
            assert!(lookup(engine, "old", "new").is_empty());
        }
        engine.remove(&["old"], &["quick"]);
    });
}

#[test]
fn the_host_has_names_and_an_internal_network_has_no_others() {
    with_engine(|engine| {
        engine.docker(&["network", "create", "--subnet", "10.211.0.0/24", "open"]).ok();
        engine.docker(&["network", "create", "--subnet", "10.212.0.0/24", "--internal", "closed"]).ok();
        engine.sleeper("inside", &["--network", "closed"]);
        let more = ["--add-host", "gate:host-gateway", "--add-host", "far:192.0.2.9"];
        engine.sleeper("outside", &[&["--network", "open"], &more[..]].concat());
        assert_eq!(lookup(engine, "outside", "host.docker.internal"), ["10.211.0.1"]);
        assert_eq!(lookup(engine, "outside", "gate"), ["10.211.0.1"]);
        assert_eq!(lookup(engine, "outside", "far"), ["192.0.2.9"]);
        assert_eq!(lookup(engine, "inside", "inside"), [engine.address("inside", "closed")]);
        let refused = engine.shell("inside", "nslookup example.com 2>&1 || true");
        assert!(refused.contains("SERVFAIL"), "{refused}");
        engine.remove(&["inside", "outside"], &["open", "closed"]);
    });
}

#[test]
fn what_its_user_says_of_names_holds() {
    with_engine(|engine| {
        engine.docker(&["network", "create", "own"]).ok();
        let resolv = |options: &[&str]| {
            let run = ["run", "--rm", "--network", "own"];
            engine.docker(&[&run[..], options, &["busybox", "cat", "/etc/resolv.conf"]].concat()).ok()
        };
        let usual = resolv(&[]);
        assert!(usual.contains("\nnameserver 127.0.0.11\n") && usual.contains("ndots:0"), "{usual}");
        let options = ["--dns", "192.0.2.53", "--dns-search", "corp.test", "--dns-option", "ndots:2"];
        let chosen = resolv(&options);
        assert!(chosen.ends_with("\nnameserver 127.0.0.11\nsearch corp.test\noptions ndots:2\n"), "{chosen}");
        assert!(resolv(&["--dns", "127.0.0.1"]).contains("\nnameserver 127.0.0.1\n"));
        // What serves names itself has port 53 of all its addresses to itself.
        let serve = ["--expose", "53/tcp", "busybox", "nc", "-ll", "-p", "53", "-e", "echo", "served"];
        engine.docker(&[&["run", "-d", "--name", "serves", "--network", "own"], &serve[..]].concat()).ok();
        engine.sleeper("asks", &["--network", "own"]);
        wait_until("it serves", || {
            engine.shell("asks", "nc -w 2 serves 53 </dev/null 2>&1 || true") == "served\n"
        });
        // It has names itself, by the gateway.
        assert_eq!(lookup(engine, "serves", "asks"), [engine.address("asks", "own")]);
        engine.remove(&["serves", "asks"], &["own"]);
    });
}

#[test]
fn names_outlive_the_daemon_and_netd_comes_back() {
    with_engine(|engine| {
        engine.docker(&["network", "create", "last"]).ok();
        engine.sleeper("one", &["--network", "last"]);
        engine.sleeper("two", &["--network", "last"]);
        let two = engine.address("two", "last");
        let pid = engine.inspect("one", "{{.State.Pid}}");
        // As a container asks that no daemon can run a program in.
        let asked = || {
            let dig = std::process::Command::new("nsenter")
                .args(["-t", &pid, "-n", "dig", "+short", "+tries=1", "+timeout=2", "@127.0.0.11", "two"])
                .output()
                .unwrap();
            String::from_utf8_lossy(&dig.stdout).trim() == two
        };
        let before = netd(engine).unwrap();
        engine.kill_daemon();
        assert!(asked());
        engine.start_daemon();
        assert!(asked());
        assert_eq!(netd(engine), Some(before), "a new daemon leaves netd alone");

        kill(before);
        wait_until("another netd answers", || asked() && netd(engine).is_some_and(|now| now != before));
        engine.kill_daemon();
        kill(netd(engine).unwrap());
        wait_until("netd has ended", || netd(engine).is_none());
        engine.start_daemon();
        wait_until("the new daemon's netd answers", asked);
        engine.remove(&["one", "two"], &["last"]);
    });
}
