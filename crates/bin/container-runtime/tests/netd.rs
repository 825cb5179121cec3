//! netd with real namespaces, `dig` and `getent`. The test's own network namespace plays the host, so that nothing here
//! touches the machine's.

use netd::{Attached, Netd, Program};
use netd_protocol::{Container, Endpoint, Link, Network, Process};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Longer than anything here takes.
const LIMIT: Duration = Duration::from_secs(20);

const GATEWAYS: [&str; 2] = ["10.77.0.1", "fd77::1"];

/// Ends netd also when a test fails.
struct Ended(Arc<Netd>);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.stop();
    }
}

/// A process in a network namespace of its own, on the bridge.
struct Member {
    child: Child,
    last: u8,
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Member {
    fn new(last: u8) -> Self {
        let mut command = Command::new("unshare");
        command.args(["--net", "sh", "-c", "echo there; exec sleep 600"]).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let member = Self { child, last };
        let (pid, name) = (member.child.id().to_string(), format!("v{last}"));
        sh(&["ip", "link", "add", &name, "type", "veth", "peer", "name", "eth0", "netns", &pid]);
        sh(&["ip", "link", "set", &name, "master", "br0", "up"]);
        let address = format!("10.77.0.{last}/24");
        member.run(&["ip", "address", "add", &address, "dev", "eth0"]);
        let address = format!("fd77::{last}/64");
        member.run(&["ip", "address", "add", &address, "dev", "eth0", "nodad"]);
        member.run(&["ip", "link", "set", "eth0", "up"]);
        member.run(&["ip", "link", "set", "lo", "up"]);
        member
    }

    fn run(&self, words: &[&str]) -> String {
        let pid = self.child.id().to_string();
        sh(&[&["nsenter", "-t", &pid, "--net"], words].concat())
    }

    fn dig(&self, at: &str, words: &[&str]) -> String {
        self.run(&[&["dig", "+short", "+tries=3", "+time=5", at], words].concat())
    }

    fn record(&self, id: &str, names: &[&str]) -> Container {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        let start_time = stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap().parse().unwrap();
        let addresses = [format!("10.77.0.{}", self.last), format!("fd77::{}", self.last)];
        let endpoint = Endpoint {
            network: "n".into(),
            addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
            names: names.iter().map(ToString::to_string).collect(),
        };
        Container {
            id: id.into(),
            endpoints: vec![endpoint],
            loopback: true,
            process: Some(Process { pid: self.child.id(), start_time }),
            ..Container::default()
        }
    }

    fn namespace(&self) -> File {
        File::open(format!("/proc/{}/ns/net", self.child.id())).unwrap()
    }
}

fn sh(words: &[&str]) -> String {
    let output = Command::new(words[0]).args(&words[1..]).output().unwrap();
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[track_caller]
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !holds() {
        assert!(begin.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        std::thread::yield_now();
    }
}

fn host() {
    sys::netns::unshare().unwrap();
    sh(&["ip", "link", "set", "lo", "up"]);
}

/// After netd, to show that it does not mind.
fn make_bridge() {
    sh(&["ip", "link", "add", "br0", "type", "bridge"]);
    sh(&["ip", "address", "add", "10.77.0.1/24", "dev", "br0"]);
    sh(&["ip", "address", "add", "fd77::1/64", "dev", "br0", "nodad"]);
    sh(&["ip", "link", "set", "br0", "up"]);
}

fn network() -> Network {
    let gateways = GATEWAYS.iter().map(|address| address.parse().unwrap()).collect();
    Network { id: "n".into(), name: "net".into(), gateways, internal: false, bridge: None }
}

fn attached(record: Container) -> Attached<'static> {
    Attached { record, namespace: None, process: None }
}

fn client(state: PathBuf) -> Netd {
    let path = PathBuf::from(env!("CARGO_BIN_EXE_container-runtime"));
    Netd::new(state, Program { path, arguments: vec!["--resolv-conf".into(), "/dev/null".into()] })
}

fn pid_of_netd(state: &std::path::Path) -> i32 {
    std::fs::read_to_string(state.join("netd.lock")).unwrap().trim().parse().unwrap()
}

/// What this machine lacks for these tests, if anything.
fn lacking() -> Option<&'static str> {
    let programs = ["dig", "ip", "nsenter", "unshare", "getent"];
    let paths = std::env::var("PATH").unwrap_or_default();
    let there = |program: &&&str| paths.split(':').any(|path| PathBuf::from(path).join(program).exists());
    if !rustix::process::geteuid().is_root() {
        return Some("root");
    }
    programs.iter().find(|program| !there(program)).copied()
}

#[test]
fn names_outlive_their_daemon_and_netd_and_end_with_their_process() {
    if let Some(lacking) = lacking() {
        eprintln!("skipped: needs {lacking}");
        return;
    }
    host();
    let state = tempfile::tempdir().unwrap();
    let netd = Arc::new(client(state.path().to_owned()));
    let _ended = Ended(Arc::clone(&netd));
    assert_eq!(netd.put(vec![network()], vec![]).unwrap(), [""; 0]);
    make_bridge();
    let (web, db) = (Member::new(2), Member::new(3));
    // The one is known by what its record says, the other by its namespace alone, as before its process runs.
    let mut record = web.record("w", &["web", "www"]);
    record.links = vec![Link { alias: "database".into(), target: "d".into() }];
    let before = Container { process: None, ..db.record("d", &["db", "svc"]) };
    let namespace = db.namespace();
    let before = Attached { record: before, namespace: Some(namespace.as_fd()), process: None };
    assert_eq!(netd.put(vec![], vec![attached(record), before]).unwrap(), [""; 0]);
    drop(namespace);

    for at in ["@10.77.0.1", "@fd77::1", "@127.0.0.11"] {
        for how in ["+notcp", "+tcp"] {
            assert_eq!(web.dig(at, &[how, "DB.net"]), "10.77.0.3", "{at} {how}");
            assert_eq!(db.dig(at, &[how, "www", "AAAA"]), "fd77::2", "{at} {how}");
        }
    }
    assert_eq!(web.dig("@127.0.0.11", &["database"]), "10.77.0.3");
    assert_eq!(db.dig("@127.0.0.11", &["database"]), "");
    assert_eq!(web.dig("@127.0.0.11", &["-x", "fd77::3"]), "db.net.");
    assert_eq!(web.dig("@127.0.0.11", &["host.docker.internal"]), "10.77.0.1");
    getent(&web, state.path());

    // The process runs: its record says so from now on, and the sockets stay.
    netd.put(vec![], vec![attached(db.record("d", &["db", "svc"]))]).unwrap();
    let known = netd.status().unwrap().unwrap();
    assert_eq!((known.networks, known.containers, known.sockets), (1, 2, 4));

    kill_and_ask_again(&netd, state.path(), &web, &db);
    ends_with_its_process(&netd, web, &db);
    more_than_a_message_holds_is_put(&netd, &db);
    netd.stop().unwrap();
    eventually("netd ends", || matches!(netd.status(), Ok(None)));
}

fn getent(member: &Member, state: &std::path::Path) {
    let file = state.join("resolv.conf");
    std::fs::write(&file, "nameserver 127.0.0.11\nsearch net\noptions ndots:0\n").unwrap();
    let script = format!("mount --bind {} /etc/resolv.conf && getent ahosts db", file.display());
    let found = member.run(&["unshare", "--mount", "sh", "-c", &script]);
    assert!(found.contains("10.77.0.3") && found.contains("fd77::3"), "{found}");
}

fn kill_and_ask_again(netd: &Arc<Netd>, state: &std::path::Path, web: &Member, db: &Member) {
    netd.keep();
    for _ in 0..3 {
        let before = pid_of_netd(state);
        sys::signals::send(before, 9).unwrap();
        eventually("another netd knows all", || {
            let known = netd.status().ok().flatten();
            known.is_some_and(|known| known.sockets == 4) && pid_of_netd(state) != before
        });
        assert_eq!(web.dig("@127.0.0.11", &["db"]), "10.77.0.3");
        assert_eq!(db.dig("@10.77.0.1", &["web"]), "10.77.0.2");
    }
    // The daemon goes: nobody keeps netd, and it stays.
    netd.let_go();
    sys::signals::send(pid_of_netd(state), 9).unwrap();
    eventually("netd has ended", || matches!(netd.status(), Ok(None)));
    netd.ensure().unwrap();
}

fn more_than_a_message_holds_is_put(netd: &Netd, db: &Member) {
    let links: Vec<Link> =
        (0..200).map(|number| Link { alias: format!("other-{number}"), target: "d".into() }).collect();
    let ids: Vec<String> = (0..40).map(|number| format!("many{number}")).collect();
    let record = |id: &String| attached(Container { links: links.clone(), ..db.record(id, &[id]) });
    // They are all in one namespace, where the first one is answered: each says so.
    assert_eq!(netd.put(vec![], ids.iter().map(record).collect()).unwrap().len(), ids.len());
    assert_eq!(netd.status().unwrap().unwrap().containers, 1 + ids.len());
    assert_eq!(db.dig("@127.0.0.11", &["many39"]), "10.77.0.3");
    netd.remove(vec![], ids).unwrap();
}

fn ends_with_its_process(netd: &Netd, web: Member, db: &Member) {
    let namespace = web.namespace();
    let number = rustix::fs::fstat(&namespace).unwrap().st_ino;
    drop((namespace, web));
    eventually("its sockets are closed", || {
        let known = netd.status().unwrap().unwrap();
        (known.containers, known.sockets) == (1, 3)
    });
    let gone = db.run(&["dig", "@127.0.0.11", "web"]);
    assert!(gone.contains("status: SERVFAIL"), "{gone}");
    let link = format!("net:[{number}]");
    let held = |path: PathBuf| std::fs::read_link(path).is_ok_and(|target| target.as_os_str() == &*link);
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        assert!(!held(process.path().join("ns/net")), "{}", process.path().display());
    }
}
