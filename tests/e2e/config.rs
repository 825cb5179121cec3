//! `config`: settings are checked, shown, changed while the engine runs, and go back where a part of it refuses.

use rustix::mount::{MountFlags, UnmountFlags, mount_bind, mount_remount, unmount};
use std::fs;
use std::path::PathBuf;
use tests::{Settings, TestEngine, wait_until, with_private_engine};

const FILE: &str = "# ours\nruntime:\n  max_containers: 1000 # enough\n  labels: [a=b]\n";

fn with_config(config: &str, test: impl FnOnce(&TestEngine)) {
    with_private_engine(Settings { config: config.to_owned(), ..Settings::default() }, test);
}

fn file(engine: &TestEngine) -> PathBuf {
    engine.directory().join("container-runtime.yaml")
}

fn text(engine: &TestEngine) -> String {
    fs::read_to_string(file(engine)).unwrap()
}

#[track_caller]
fn config(engine: &TestEngine, arguments: &[&str]) -> String {
    engine.cr(&[&["config"], arguments].concat()).ok()
}

/// The labels of the engine, which change at once.
fn labels(engine: &TestEngine) -> String {
    engine.docker(&["info", "--format", "{{.Labels}}"]).line()
}

fn subnet(engine: &TestEngine, network: &str) -> String {
    let format = "{{range .IPAM.Config}}{{.Subnet}} {{end}}";
    let all = engine.docker(&["network", "inspect", "--format", format, network]).line();
    all.split(' ').next().unwrap_or_default().to_owned()
}

#[test]
fn a_range_is_changed_for_new_networks_and_explained_for_old_ones() {
    with_config(FILE, |engine| {
        assert_eq!(config(engine, &["validate"]), format!("{} is good.\n", file(engine).display()));
        let shown = config(engine, &["show", "--origin"]);
        let origin = format!("max_containers: 1000  # {}:3:19\n", file(engine).display());
        assert!(shown.contains(&origin) && shown.contains("# flag --root\n"), "{shown}");
        assert!(shown.contains("idle_shims: 2  # default\n"), "{shown}");

        let bridge = subnet(engine, "bridge");
        let said = config(engine, &["set", "network.ip_range=172.30.0.0/16"]);
        let first = "network.ip_range: (absent) -> 172.30.0.0/16 (at once, for new networks)\n";
        assert!(said.starts_with(first), "{said}");
        assert!(said.contains(&format!("keep their addresses: bridge ({bridge})")), "{said}");
        assert_eq!(text(engine), format!("{FILE}network:\n  ip_range: 172.30.0.0/16\n"));
        assert_eq!(config(engine, &["reload"]), "Nothing has changed.\n");
        assert_eq!(config(engine, &["get", "network.ip_range"]), "172.30.0.0/16\n");

        engine.docker(&["network", "create", "fresh"]).ok();
        let fresh = subnet(engine, "fresh");
        assert!(fresh.starts_with("172.30.") && fresh.ends_with("/20"), "{fresh}");
        assert_eq!(subnet(engine, "bridge"), bridge);
        engine.docker(&["run", "-d", "--name", "app", "busybox", "sleep", "1000"]).ok();
        let address = engine.inspect("app", "{{.NetworkSettings.IPAddress}}");

        // What has been made in the range, and who has an address of the old one, outlive a restart.
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        assert_eq!((subnet(engine, "bridge"), subnet(engine, "fresh")), (bridge, fresh));
        assert_eq!(engine.inspect("app", "{{.NetworkSettings.IPAddress}}"), address);
        engine.docker(&["rm", "--force", "app"]).ok();
        engine.docker(&["network", "rm", "fresh"]).ok();
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        assert_eq!(subnet(engine, "bridge"), "172.30.0.0/16", "nobody is on it any more");
    });
}

#[test]
fn mistakes_are_pointed_at_and_nothing_begins_or_changes_with_them() {
    with_config(FILE, |engine| {
        let bad = engine.directory().join("bad.yaml");
        fs::write(&bad, "network:\n  ip_rnage: 10.0.0.0/8\n  mtu: much\n").unwrap();
        let bad = bad.display().to_string();
        let run = engine.cr(&["config", "validate", &bad]);
        let said = run.fails(
            1,
            &format!("{bad}:2:3: network.ip_rnage: there is no such key: did you mean network.ip_range?"),
        );
        let second = ":3:8: network.mtu: 'much' is not allowed, it must be a whole number from 68 to 65535\n";
        assert!(said.contains(second), "{said}");
        engine
            .cr(&["config", "set", "network.ip_rnage=10.0.0.0/8"])
            .fails(1, "did you mean network.ip_range?");
        engine.cr(&["config", "set", "runtime.labels=x", "network.mtu=7"]).fails(1, "'7' is not allowed");
        engine.cr(&["config", "set", "runtime.labels"]).fails(1, "'runtime.labels' is no KEY=VALUE");
        engine.cr(&["config", "get", "runtime.label"]).fails(1, "did you mean runtime.labels?");
        assert_eq!((text(engine), labels(engine)), (FILE.to_owned(), "[a=b]".to_owned()));

        // By hand, while it runs: it says where, and goes on with what it has.
        let mistake = FILE.replace("1000", "-1");
        fs::write(file(engine), &mistake).unwrap();
        wait_until("the complaint", || {
            engine.daemon_log().contains(":3:19: runtime.max_containers: '-1' is not")
        });
        engine.cr(&["config", "reload"]).fails(1, ":3:19: runtime.max_containers: '-1' is not allowed");
        assert_eq!(config(engine, &["get", "runtime.max_containers"]), "1000\n");
        engine.kill_daemon();
        engine.start_daemon();
        engine.wait_for_daemons_end();
        fs::write(file(engine), FILE).unwrap();
        engine.restart_daemon(&[]);
    });
}

#[test]
fn a_change_that_a_part_refuses_changes_nothing() {
    with_config(FILE, |engine| {
        for name in ["one", "two"] {
            engine.docker(&["run", "-d", "--name", name, "busybox", "sleep", "1000"]).ok();
        }
        let run = engine.cr(&["config", "set", "runtime.labels=x", "runtime.max_containers=1"]);
        run.fails(1, "containers refuses runtime.max_containers: there are 2 containers, more than 1");
        let run = engine.cr(&["config", "set", "runtime.labels=x", "network.default_bridge=elsewhere"]);
        run.fails(1, "running containers refuses network.default_bridge: ");
        engine.docker(&["network", "create", "--subnet", "10.213.7.0/24", "taken"]).ok();
        let run = engine.cr(&["config", "set", "runtime.labels=x", "network.ip_range=10.213.7.0/24"]);
        let said = run.fails(1, "networks refuses network.ip_range: ");
        assert!(said.contains("the network taken"), "{said}");
        assert_eq!((text(engine), labels(engine)), (FILE.to_owned(), "[a=b]".to_owned()));
        // The same by hand.
        fs::write(file(engine), FILE.replace("1000", "1")).unwrap();
        engine.cr(&["config", "reload"]).fails(1, "The old settings stay");
        assert_eq!(config(engine, &["get", "runtime.max_containers"]), "1000\n");
        engine.docker(&["network", "create", "next"]).ok();
        assert!(!subnet(engine, "next").starts_with("10.213."));
    });
}

#[test]
fn what_waits_for_a_restart_may_be_taken_back_under_what_runs() {
    with_config(FILE, |engine| {
        config(engine, &["set", "network.default_bridge=elsewhere"]);
        engine.docker(&["run", "-d", "--name", "app", "busybox", "sleep", "1000"]).ok();
        let run = engine.cr(&["config", "set", "network.default_bridge=third"]);
        run.fails(1, "running containers refuses network.default_bridge: app would be lost");
        let said = config(engine, &["set", "network.default_bridge="]);
        assert!(said.starts_with("network.default_bridge: elsewhere -> (absent) "), "{said}");
        let shown = config(engine, &["show"]);
        assert!(!shown.contains("After a restart"), "{shown}");
    });
}

#[test]
fn a_file_that_cannot_be_written_takes_the_change_back() {
    with_config(FILE, |engine| {
        // Nobody may set it again once there are containers, not even on the way back.
        config(engine, &["set", "network.default_bridge=elsewhere"]);
        engine.docker(&["run", "-d", "--name", "app", "busybox", "sleep", "1000"]).ok();
        let before = text(engine);
        // The daemon's file becomes a link to one on a mount that nobody can write to.
        let fixed = engine.directory().join("fixed");
        fs::create_dir(&fixed).unwrap();
        fs::write(fixed.join("c.yaml"), &before).unwrap();
        fs::remove_file(file(engine)).unwrap();
        std::os::unix::fs::symlink(fixed.join("c.yaml"), file(engine)).unwrap();
        let flags = MountFlags::BIND | MountFlags::RDONLY;
        mount_bind(&fixed, &fixed).unwrap();
        mount_remount(&fixed, flags, "").unwrap();
        let wanted = ["logging.level=error", "runtime.labels=x", "network.default_bridge="];
        let run = engine.cr(&[&["config", "set"], &wanted[..]].concat());
        unmount(&fixed, UnmountFlags::empty()).unwrap();
        run.fails(1, "Read-only file system");
        assert_eq!((text(engine), labels(engine)), (before, "[a=b]".to_owned()));
        config(engine, &["set", "runtime.labels=heard=of"]);
        assert!(engine.daemon_log().contains("heard=of"), "the log is at its old level");
        assert!(file(engine).is_symlink() && text(engine).contains("heard=of"), "a link stays one");
    });
}

#[test]
fn what_can_change_while_it_runs_does() {
    with_config(FILE, |engine| {
        let said = config(
            engine,
            &["set", "runtime.max_containers=2", "runtime.idle_shims=1", "runtime.labels=c=d,e=f"],
        );
        assert!(said.contains("runtime.max_containers: 1000 -> 2 (at once)\n"), "{said}");
        assert!(said.contains("runtime.idle_shims: 2 -> 1 (when the daemon is restarted)\n"), "{said}");
        assert_eq!(
            text(engine),
            "# ours\nruntime:\n  max_containers: 2 # enough\n  labels: [c=d, e=f]\n  idle_shims: 1\n"
        );
        assert_eq!(labels(engine), "[c=d e=f]");
        let shown = config(engine, &["show"]);
        assert!(
            shown.contains("  idle_shims: 2\n") && shown.contains("#   runtime.idle_shims: 1\n"),
            "{shown}"
        );
        for _ in 0..2 {
            engine.docker(&["create", "busybox"]).ok();
        }
        engine.docker(&["create", "busybox"]).fails(1, "may hold 2 containers");
        config(engine, &["set", "runtime.max_containers=0", "logging.options={max-size: 9k, max-file: 3}"]);
        engine.docker(&["create", "--name", "app", "busybox"]).ok();
        assert_eq!(engine.inspect("app", "{{index .HostConfig.LogConfig.Config \"max-size\"}}"), "9k");
        engine.cr(&["config", "set", "logging.options.max-sizes=9k"]).fails(1, "logging.options: ");
        let said = config(engine, &["set", "logging.options.max-file="]);
        assert!(said.starts_with("logging.options.max-file: 3 -> (absent) "), "{said}");
        assert_eq!(config(engine, &["get", "logging.options.max-file"]), "\n");
        assert_eq!(config(engine, &["get", "registry.serve.tls"]), "{}\n");

        // What the log says from then on.
        config(engine, &["set", "logging.level=warn"]);
        config(engine, &["set", "runtime.labels=unheard=of"]);
        config(engine, &["set", "logging.level=info"]);
        config(engine, &["set", "runtime.labels=c=d,e=f"]);
        let heard = |value: &str| engine.daemon_log().contains(&format!("to=[\"{value}"));
        assert!(heard("c=d") && !heard("unheard=of"), "{}", engine.daemon_log());

        // A file of the drop-in directory is weaker than the file, and found while it runs.
        let drop_ins = engine.directory().join("container-runtime.yaml.d");
        fs::create_dir(&drop_ins).unwrap();
        fs::write(drop_ins.join("10.yaml"), "runtime: {labels: [weak], no_new_privileges: true}\n").unwrap();
        wait_until("the drop-in", || config(engine, &["get", "runtime.no_new_privileges"]) == "true\n");
        assert_eq!(labels(engine), "[c=d e=f]");
        fs::write(file(engine), "runtime: {max_containers: 0}\n").unwrap();
        wait_until("the file", || labels(engine) == "[weak]");

        assert!(!engine.daemon_log().contains("the settings are as they were"));
        let pid = rustix::process::Pid::from_raw(engine.daemon_pid() as i32).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::HUP).unwrap();
        wait_until("SIGHUP", || engine.daemon_log().contains("the settings are as they were"));
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        assert_eq!(config(engine, &["get", "runtime.idle_shims"]), "2\n", "the file has been replaced");
    });
}

#[test]
fn the_environment_and_flags_are_stronger_than_the_file() {
    let settings = Settings {
        config: "runtime: {labels: [file], idle_shims: 1}\nnetwork: {idle_namespaces: 1}\n".to_owned(),
        environment: vec![
            ("CONTAINER_RUNTIME_RUNTIME__LABELS".to_owned(), "from=environment".to_owned()),
            ("CONTAINER_RUNTIME_RUNTIME__IDLE_SHIMS".to_owned(), "2".to_owned()),
        ],
        flags: vec!["--idle-shims=3".to_owned()],
        ..Settings::default()
    };
    with_private_engine(settings, |engine| {
        let shown = config(engine, &["show", "--origin"]);
        for line in [
            "labels: [from=environment]  # environment CONTAINER_RUNTIME_RUNTIME__LABELS\n",
            "idle_shims: 3  # flag --idle-shims\n",
        ] {
            assert!(shown.contains(line), "{shown}");
        }
        let said = config(engine, &["set", "runtime.labels=new"]);
        let note = "Note: runtime.labels stays [\"from=environment\"], since the environment CONTAINER_RUNTIME_RUNTIME__LABELS of the daemon is stronger than the file\n";
        assert!(said.contains("Nothing has changed.\n") && said.contains(note), "{said}");
        engine.cr(&["system", "shutdown"]).ok();
        engine.wait_for_daemons_end();
        engine.restart_daemon(&[]);
        assert_eq!(labels(engine), "[new]");
    });
}

#[test]
fn dockers_settings_are_taken_over() {
    with_config(FILE, |engine| {
        let json = engine.directory().join("daemon.json");
        let text_of = r#"{"labels": ["x=y"], "dns": ["192.0.2.9"], "dns-search": ["s.example"], "log-opts": {"max-size": "8k"}, "hosts": ["fd://"], "max-concurrent-uploads": 2}"#;
        fs::write(&json, text_of).unwrap();
        let json = json.display().to_string();
        let dry = config(engine, &["import", "--dry-run", &json]);
        assert!(dry.contains("dns.servers=[\"192.0.2.9\"]\n") && text(engine) == FILE, "{dry}");
        let said = config(engine, &["import", &json]);
        assert!(said.contains("Not taken over: hosts: give the daemon --host\n"), "{said}");
        assert!(
            text(engine).starts_with("# ours\nruntime:\n  max_containers: 1000 # enough\n  labels: [x=y]\n")
        );
        assert_eq!(labels(engine), "[x=y]");
        engine.docker(&["run", "-d", "--name", "app", "busybox", "sleep", "1000"]).ok();
        assert_eq!(
            engine.inspect("app", "{{.HostConfig.Dns}} {{.HostConfig.DnsSearch}}"),
            "[192.0.2.9] [s.example]"
        );
        let resolv = engine.docker(&["exec", "app", "cat", "/etc/resolv.conf"]).ok();
        assert!(resolv.contains("nameserver 127.0.0.11\nsearch s.example\n"), "{resolv}");
    });
}

#[test]
fn containers_ask_the_server_that_is_set() {
    with_config("# empty\n", |engine| {
        engine.docker(&["network", "create", "n"]).ok();
        engine.docker(&["run", "-d", "--name", "other", "--network", "n", "busybox", "sleep", "1000"]).ok();
        let gateway = engine
            .docker(&["network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", "n"])
            .line();
        engine.cr(&["config", "set", "network.dns_server=127.0.0.1"]).fails(1, "the container itself");
        let resolv = |name: &str, arguments: &[&str]| {
            let all =
                [&["run", "-d", "--name", name, "--network", "n"], arguments, &["busybox", "sleep", "1000"]]
                    .concat();
            engine.docker(&all).ok();
            engine.docker(&["exec", name, "cat", "/etc/resolv.conf"]).ok()
        };
        assert!(resolv("before", &[]).contains("nameserver 127.0.0.11\n"));
        set_by_api(engine, &format!("network.dns_server={gateway}"));
        assert!(resolv("after", &[]).contains(&format!("nameserver {gateway}\n")));
        engine.docker(&["exec", "after", "ping", "-c", "1", "other"]).ok();
        engine.docker(&["exec", "before", "ping", "-c", "1", "other"]).ok();
        set_by_api(engine, "network.dns_server=192.0.2.53");
        assert!(resolv("outside", &[]).contains("nameserver 127.0.0.11\n"));
        assert_eq!(engine.inspect("outside", "{{.HostConfig.Dns}}"), "[192.0.2.53]");
        assert!(resolv("given", &["--dns", "192.0.2.1"]).contains("nameserver 127.0.0.11\n"));
        assert_eq!(engine.inspect("given", "{{.HostConfig.Dns}}"), "[192.0.2.1]");
        assert_eq!(text(engine), "# empty\nnetwork:\n  dns_server: 192.0.2.53\n");
    });
}

/// As any other client of the socket can.
#[track_caller]
fn set_by_api(engine: &TestEngine, assignment: &str) {
    let body = serde_json::json!({ "Set": [assignment] });
    let answer = engine.api("POST", "/container-runtime/config/set", Some(&body));
    assert_eq!(answer.status, 200, "{}", answer.json());
}

#[test]
fn names_without_a_registry_are_of_the_one_that_is_set() {
    let port = tests::registry::free_port();
    let host = format!("127.0.0.1:{port}");
    with_config(&format!("registry: {{serve: {{listen: '{host}'}}}}\n"), |engine| {
        engine.docker(&["tag", "busybox", &format!("{host}/own-app")]).ok();
        engine.docker(&["push", &format!("{host}/own-app")]).ok();
        engine.docker(&["rmi", &format!("{host}/own-app")]).ok();
        let said = config(
            engine,
            &["set", &format!("registry.default={host}"), "registry.mirrors=https://m.example"],
        );
        assert!(
            said.contains("registry.mirrors.\"docker.io\": (absent) -> [\"https://m.example\"]"),
            "{said}"
        );
        engine.docker(&["pull", "own-app"]).ok();
        assert_eq!(engine.docker(&["run", "--rm", "--pull", "never", "own-app", "echo", "ok"]).ok(), "ok\n");
        let names = engine.docker(&["images", "--format", "{{.Repository}}", "own-app"]).line();
        assert_eq!(names, "own-app");
        engine.docker(&["tag", "busybox", "pushed"]).ok();
        engine.docker(&["push", "pushed"]).ok();
        engine.docker(&["pull", &format!("{host}/pushed")]).ok();
    });
}

#[test]
fn images_are_where_it_is_said_and_not_forgotten() {
    // Outside of the root: a directory of the test's own.
    let place = tempfile::Builder::new().prefix("cr-images-").tempdir_in("/tmp").unwrap();
    let images = place.path().join("images");
    let storage = format!("storage: {{root: {}}}\n", images.display());
    with_config(&storage, |engine| {
        assert_eq!(engine.docker(&["run", "--rm", "busybox", "echo", "ok"]).ok(), "ok\n");
        assert!(images.join("layers").exists() && !engine.directory().join("root/layers").exists());
        engine.cr(&["config", "set", "storage.root="]).ok();
        let said = config(engine, &["show"]);
        assert!(said.contains("#   storage.root: (absent)\n"), "{said}");
        engine.kill_daemon();
        engine.start_daemon();
        engine.wait_for_daemons_end();
        let log = engine.daemon_log();
        assert!(log.contains(&format!("but images are in {}", images.display())), "{log}");
        fs::write(file(engine), &storage).unwrap();
        engine.restart_daemon(&[]);
        assert_eq!(engine.docker(&["run", "--rm", "busybox", "echo", "ok"]).ok(), "ok\n");
    });
    assert!(!images.exists(), "a purge takes it along");
}

#[test]
fn a_file_may_be_checked_that_no_daemon_reads() {
    with_config("# empty\n", |engine| {
        // That of the first sketch.
        let page = include_str!("../../docs/configuration.md");
        let example = page.split("```yaml\n").nth(1).unwrap().split("```").next().unwrap();
        let path = engine.directory().join("sketch.yaml");
        fs::write(&path, example).unwrap();
        assert_eq!(
            config(engine, &["validate", path.to_str().unwrap()]),
            format!("{} is good.\n", path.display())
        );
        assert_eq!(config(engine, &["reference"]), page);
        let help = config(engine, &["--help"]);
        for verb in ["validate", "show", "get", "set", "reload", "import", "reference"] {
            assert!(help.contains(&format!("\n  {verb} ")), "{help}");
        }
    });
}
