//! Networks by plugins of others: the driver `cni`, with Debian's plugins.

use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;
use tests::lan::{HOST, Lan};
use tests::{Need, Settings, TestEngine, lacks, skip, wait_until, with_private_engine};

/// A host with configurations and plugins, on a wire.
struct Plugs {
    lan: Lan,
    dir: tempfile::TempDir,
}

impl Plugs {
    /// None, with a word, where Debian's plugins are not installed.
    fn new() -> Option<Self> {
        let needs = [Need::Root, Need::Path("/usr/lib/cni/bridge"), Need::Program("iptables")];
        if let Some(lacking) = lacks(&needs) {
            skip(&lacking);
            return None;
        }
        let plugs = Self { lan: Lan::new(), dir: tempfile::tempdir().unwrap() };
        fs::create_dir(plugs.path("conf")).unwrap();
        fs::create_dir(plugs.path("bin")).unwrap();
        let mapping = json!({"type": "portmap", "capabilities": {"portMappings": true}});
        plugs.write("lan", &[plugs.bridge(66), mapping]);
        plugs.write("plain", &[plugs.bridge(67)]);
        Some(plugs)
    }

    fn path(&self, part: &str) -> PathBuf {
        self.dir.path().join(part)
    }

    fn bridge(&self, number: u8) -> Value {
        json!({
            "type": "bridge", "bridge": format!("cni{number}"), "isDefaultGateway": true, "ipMasq": true,
            "capabilities": {"ips": true},
            "ipam": {
                "type": "host-local", "dataDir": self.path("leases"),
                "ranges": [[{"subnet": format!("10.{number}.0.0/24")}], [{"subnet": format!("fd{number}::/64")}]],
            },
        })
    }

    fn write(&self, name: &str, plugins: &[Value]) {
        let list = json!({"cniVersion": "1.0.0", "name": name, "plugins": plugins});
        fs::write(self.path("conf").join(format!("{name}.conflist")), list.to_string()).unwrap();
    }

    /// A plugin whose `ADD` takes until the file `go` is there.
    fn write_slow(&self, name: &str) {
        let (told, go) = (self.path("told"), self.path("go"));
        let script = format!(
            "#!/bin/sh\necho $CNI_COMMAND >> {}\n[ $CNI_COMMAND = ADD ] || exit 0\n\
             while ! [ -e {} ]; do sleep 0.01; done\necho '{{}}'\n",
            told.display(),
            go.display()
        );
        let path = self.path("bin").join("slow");
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self.write(name, &[self.bridge(68), json!({"type": "slow"})]);
    }

    fn told(&self) -> String {
        fs::read_to_string(self.path("told")).unwrap_or_default()
    }

    fn settings(&self) -> Settings {
        let (conf, bin) = (self.path("conf"), self.path("bin"));
        let config = format!(
            "network: {{cni: {{conf_dir: {}, bin_dirs: [{}, /usr/lib/cni]}}}}",
            conf.display(),
            bin.display()
        );
        Settings { config, network: Some(self.lan.host().pid()), ..Settings::default() }
    }

    /// Runs a test on this host, and checks that plugins have taken everything back.
    #[track_caller]
    fn with_engine(&self, test: impl FnOnce(&TestEngine)) {
        self.with_engine_of(self.settings(), test);
    }

    #[track_caller]
    fn with_engine_of(&self, settings: Settings, test: impl FnOnce(&TestEngine)) {
        with_private_engine(settings, test);
        self.nothing_is_left();
    }

    /// What was given to containers, and what leads to them.
    fn left(&self) -> (Vec<String>, Vec<String>) {
        let networks = fs::read_dir(self.path("leases")).into_iter().flatten().flatten();
        let files = networks.flat_map(|network| fs::read_dir(network.path()).into_iter().flatten().flatten());
        let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
        // Its lock, and what it gave last, stay.
        let leases = names.filter(|name| name != "lock" && !name.starts_with("last_reserved_ip"));
        let rules = self.lan.host().run(&["iptables-save"]).ok();
        let rules = rules.lines().filter(|rule| rule.starts_with("-A") && rule.contains("10.6"));
        (leases.collect(), rules.map(str::to_owned).collect())
    }

    #[track_caller]
    fn nothing_is_left(&self) {
        wait_until("plugins have taken all back", || self.left() == (Vec::new(), Vec::new()));
    }
}

fn create(engine: &TestEngine, conf: &str, name: &str) {
    engine.docker(&["network", "create", "-d", "cni", "-o", &format!("conf={conf}"), name]).ok();
}

#[track_caller]
fn meets(engine: &TestEngine, from: &str, to: &str) {
    engine.shell(from, &format!("ping -c 1 -W 5 {to}"));
}

#[test]
fn containers_of_plugins_meet_by_name_and_go() {
    let Some(plugs) = Plugs::new() else { return };
    plugs.with_engine(|engine| {
        create(engine, "lan", "web");
        engine.docker(&["network", "create", "own"]).ok();
        engine.sleeper("a1", &["--network", "web", "--network-alias", "first"]);
        engine.sleeper("b1", &["--network", "web", "--ip", "10.66.0.9"]);
        meets(engine, "a1", "b1");
        meets(engine, "b1", "first");
        assert_eq!(engine.address("b1", "web"), "10.66.0.9");
        let format = "{{with index .NetworkSettings.Networks \"web\"}}{{.Gateway}} {{.IPPrefixLen}} \
                      {{.GlobalIPv6Address}} {{.IPv6Gateway}} {{.MacAddress}}{{end}}";
        let mac = engine.shell("a1", "cat /sys/class/net/eth0/address");
        assert_eq!(engine.inspect("a1", format), format!("10.66.0.1 24 fd66::2 fd66::1 {}", mac.trim()));
        let shown = engine.docker(&["network", "inspect", "-f", "{{.Driver}} {{len .Containers}}", "web"]);
        assert_eq!(shown.line(), "cni 2");
        engine.docker(&["network", "rm", "web"]).fails(1, "network web has active endpoints");

        engine.sleeper("c1", &["--network", "own"]);
        engine.docker(&["network", "connect", "web", "c1"]).ok();
        assert_eq!(engine.shell("c1", "ls /sys/class/net"), "eth0\neth1\nlo\n");
        meets(engine, "c1", "a1");
        meets(engine, "a1", "c1");
        let known = engine.shell("a1", "nslookup -type=a c1 127.0.0.11 2>&1 || true");
        assert!(known.contains("10.66."), "{known}");
        let route = engine.shell("c1", "ip route | grep default");
        assert_eq!(route.lines().count(), 1, "{route}");
        engine.docker(&["network", "disconnect", "web", "c1"]).ok();
        assert_eq!(engine.shell("c1", "ls /sys/class/net"), "eth0\nlo\n");
        // Then it is asked outside, where nobody answers.
        let gone = engine.shell("a1", "timeout 1 nslookup -type=a c1 127.0.0.11 2>&1 || true");
        assert!(!gone.contains("10.66."), "{gone}");

        engine.docker(&["restart", "-t", "0", "b1"]).ok();
        assert_eq!(engine.address("b1", "web"), "10.66.0.9");
        meets(engine, "a1", "b1");
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        meets(engine, "b1", "a1");
        engine.docker(&["stop", "-t", "0", "b1"]).ok();
        wait_until("its address is free", || !plugs.path("leases/lan/10.66.0.9").exists());
        engine.docker(&["start", "b1"]).ok();
        meets(engine, "a1", "b1");
        engine.remove(&["a1", "b1", "c1"], &["web", "own"]);
        assert_eq!(plugs.left(), (Vec::new(), Vec::new()));
    });
}

#[test]
fn a_daemon_that_died_leaves_nothing_with_plugins() {
    let Some(plugs) = Plugs::new() else { return };
    plugs.write_slow("slow");
    plugs.with_engine(|engine| {
        create(engine, "lan", "web");
        create(engine, "slow", "held");
        engine.sleeper("over", &["--network", "web"]);
        engine.sleeper("stays", &["--network", "web"]);
        let mut command =
            engine.docker_command(&["run", "-d", "--name", "late", "--network", "held", "busybox", "true"]);
        let mut waiting = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_until("the plugin works", || plugs.told() == "ADD\n");
        assert!(plugs.path("leases/slow/10.68.0.2").exists());
        let pid = engine.inspect("over", "{{.State.Pid}}");
        engine.kill_daemon();
        waiting.wait().unwrap();
        // Ends while nobody watches.
        tests::Run::of(std::process::Command::new("kill").args(["-9", &pid])).ok();
        engine.restart_daemon(&[]);
        wait_until("all but one are taken back", || {
            let (leases, rules) = plugs.left();
            leases.len() == 2 && !rules.iter().any(|rule| rule.contains("10.68"))
        });
        wait_until("it is asked too", || plugs.told() == "ADD\nDEL\n");
        fs::write(plugs.path("go"), "").unwrap();
        engine.docker(&["start", "over"]).ok();
        engine.docker(&["start", "late"]).ok();
        meets(engine, "over", "stays");
        engine.remove(&["over", "late", "stays"], &["web", "held"]);
    });
}

#[test]
fn a_daemon_with_other_mounts_than_the_last_takes_back_what_that_made() {
    let Some(plugs) = Plugs::new() else { return };
    // Files of its own in /etc: each daemon has a mount namespace of its own.
    let ranges = ["subuid", "subgid"].map(|name| (name.to_owned(), "4711:1879000000:65536\n".to_owned()));
    let flags = vec!["--userns-remap".to_owned(), "4711".to_owned()];
    let settings = Settings { flags, etc: ranges.to_vec(), ..plugs.settings() };
    plugs.with_engine_of(settings, |engine| {
        create(engine, "lan", "web");
        engine.sleeper("a1", &["--network", "web"]);
        engine.sleeper("b1", &["--network", "web"]);
        meets(engine, "a1", "b1");
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        meets(engine, "b1", "a1");
        engine.remove(&["a1", "b1"], &["web"]);
        assert_eq!(plugs.left(), (Vec::new(), Vec::new()), "the rules for their addresses too");
    });
}

#[test]
fn each_step_of_a_start_with_plugins_fails_cleanly() {
    const MOST: u64 = 40;
    let Some(plugs) = Plugs::new() else { return };
    for kind in ["error", "kill"] {
        let mut number = 1;
        let mut more = true;
        while more && number < MOST {
            let inject = ("CONTAINER_RUNTIME_INJECT".to_owned(), format!("container.start={number}:{kind}"));
            let settings = Settings { environment: vec![inject], ..plugs.settings() };
            plugs.with_engine_of(settings, |engine| {
                create(engine, "lan", "web");
                let options = ["run", "-d", "--name", "x1", "--network", "web", "-p", "8080:80"];
                let run = engine.docker(&[&options[..], &["busybox", "true"]].concat());
                more = run.code != 0;
                if more && kind == "kill" {
                    engine.wait_for_daemons_end();
                    engine.restart_daemon(&[]);
                }
                if more && kind == "error" {
                    assert_eq!(plugs.left(), (Vec::new(), Vec::new()), "step {number}");
                }
                engine.docker(&["rm", "-f", "x1"]);
                // Not only because the engine goes.
                plugs.nothing_is_left();
            });
            number += 1;
        }
        assert!(number > 3 && !more, "steps of a start were made to fail, and in the end it works");
    }
}

#[test]
fn ports_are_published_by_plugins_that_can() {
    let Some(plugs) = Plugs::new() else { return };
    plugs.with_engine(|engine| {
        create(engine, "lan", "web");
        create(engine, "plain", "plain");
        let serve = ["busybox", "sh", "-c", "while :; do echo hello | nc -lp 80; done"];
        let options = ["run", "-d", "--name", "a1", "--network", "web", "-p", "8080:80", "-p", "81"];
        engine.docker(&[&options[..], &serve].concat()).ok();
        assert_eq!(engine.docker(&["port", "a1", "80/tcp"]).ok(), "0.0.0.0:8080\n[::]:8080\n");
        let away = plugs.lan.away();
        let ask = format!("exec 3<>/dev/tcp/{}/8080 && cat <&3", HOST[0]);
        wait_until("it answers from afar", || away.run(&["bash", "-c", &ask]).stdout == "hello\n");
        let taken = engine.docker(&["run", "--network", "web", "-p", "8080:80", "busybox", "true"]);
        taken.fails(125, "Bind for 0.0.0.0:8080 failed: port is already allocated by container a1");
        let taken = engine.docker(&["run", "-p", "8080:80", "busybox", "true"]);
        taken.fails(125, "port is already allocated by container a1");
        let refused = engine.docker(&["run", "--network", "plain", "-p", "8081:80", "busybox", "true"]);
        refused.fails(125, "no plugin of the network plain has the capability portMappings");
        // A network that plugins don't lead ports to while it runs, before one that could.
        engine.docker(&[&["run", "-d", "--name", "b1", "-p", "8082:80"], &serve[..]].concat()).ok();
        let first = engine.docker(&["network", "connect", "--gw-priority", "9", "web", "b1"]);
        first.fails(1, "publish ports when a container starts, not while it runs");
        engine.docker(&["network", "connect", "web", "b1"]).ok();
        let more = engine.cr(&["update", "--publish-add", "9000:90", "a1"]);
        more.fails(1, "publish ports when a container starts, not while it runs");
        for arguments in [&["--subnet", "10.9.0.0/24"][..], &["--internal"], &["--ipv6"], &["-o", "parent=x"]]
        {
            let create = ["network", "create", "-d", "cni", "-o", "conf=lan"];
            let refused = engine.docker(&[&create[..], arguments, &["n"]].concat());
            assert!(refused.code == 1 && refused.stderr.contains("driver cni"), "{refused:?}");
        }
        let missing = engine.docker(&["network", "create", "-d", "cni", "-o", "conf=wan", "n"]);
        missing.fails(1, "where there are lan, plain");
        let check = engine.cr(&["network", "check", "host", "a1"]);
        assert!(check.stdout.contains("The network web is one of plugins."), "{check:?}");
        engine.docker(&["rm", "-f", "a1", "b1"]).ok();
        engine.docker(&["container", "prune", "-f"]).ok();
        engine.docker(&["network", "rm", "web", "plain"]).ok();
    });
}
