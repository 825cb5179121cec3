//! The records in other places than a file of redb's: an etcd that goes away, moves between drivers, backups.

use std::fs;
use std::time::{Duration, Instant};
use tests::{Etcd, Run, Settings, TestEngine, wait_until, with_private_engine};

fn etcd_settings(etcd: &Etcd) -> String {
    format!("state: {{driver: etcd, etcd: {{endpoints: ['{}'], prefix: tests/engine}}}}\n", etcd.url())
}

/// Our own verb on an engine whose daemon does not run.
#[track_caller]
fn state(engine: &TestEngine, arguments: &[&str]) -> Run {
    let root = engine.directory().join("root");
    let mut all = vec!["state"];
    all.extend(arguments);
    all.extend(["--root", root.to_str().unwrap()]);
    let config = engine.directory().join("container-runtime.yaml");
    if config.exists() {
        all.extend(["--config-file", config.to_str().unwrap()]);
    }
    engine.cr(&all)
}

fn stop(engine: &TestEngine) {
    engine.cr(&["system", "shutdown"]).ok();
    engine.wait_for_daemons_end();
}

fn configure(engine: &TestEngine, text: &str) {
    fs::write(engine.directory().join("container-runtime.yaml"), text).unwrap();
}

fn pid(engine: &TestEngine, name: &str) -> String {
    engine.inspect(name, "{{.State.Status}} {{.State.Pid}}")
}

#[test]
fn containers_go_on_while_etcd_is_away() {
    let mut etcd = Etcd::start(&[]);
    let settings = Settings { config: etcd_settings(&etcd), ..Settings::default() };
    with_private_engine(settings, |engine| {
        engine.docker(&["run", "-d", "--name", "web", "busybox", "sleep", "600"]).ok();
        engine.docker(&["run", "-d", "--name", "ends", "busybox", "sh", "-c", "sleep 4; exit 7"]).ok();
        let before = pid(engine, "web");
        etcd.freeze();
        let begin = Instant::now();
        let refused = engine.docker(&["create", "--name", "new", "busybox", "true"]);
        assert_ne!(refused.code, 0);
        assert!(begin.elapsed() < Duration::from_secs(20), "{:?}", begin.elapsed());
        for part in [etcd.url().as_str(), "does not answer", "containers go on"] {
            assert!(refused.stderr.contains(part), "{}", refused.stderr);
        }
        assert_eq!(engine.docker(&["exec", "web", "echo", "here"]).ok(), "here\n");
        assert_eq!(pid(engine, "web"), before);
        assert!(engine.docker(&["ps"]).ok().contains("web"));
        std::thread::sleep(Duration::from_secs(4));
        etcd.thaw();
        wait_until("changes are taken again", || {
            engine.docker(&["create", "--name", "again", "busybox", "true"]).code == 0
        });
        assert_eq!(engine.docker(&["wait", "ends"]).line(), "7", "an exit in between is not lost");

        // Gone for longer than the lock lasts, and come back.
        etcd.kill();
        std::thread::sleep(Duration::from_secs(12));
        assert_ne!(engine.docker(&["create", "--name", "never", "busybox", "true"]).code, 0);
        etcd.start_again();
        wait_until("changes are taken again", || {
            engine.docker(&["create", "--name", "third", "busybox", "true"]).code == 0
        });
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        assert_eq!(pid(engine, "web"), before, "a killed daemon is let in at once");
        assert_eq!(engine.inspect("ends", "{{.State.ExitCode}}"), "7");
        let names = engine.docker(&["ps", "-a", "--format", "{{.Names}}"]).ok();
        assert!(!names.contains("never"), "{names}");
    });
    let left = etcd.control(&["get", "--prefix", "tests/engine/records/", "--keys-only"]);
    assert_eq!(left.trim(), "", "a purge takes the records");
}

#[test]
fn records_move_between_drivers_while_containers_run() {
    let etcd = Etcd::start(&[]);
    with_private_engine(Settings::default(), |engine| {
        engine.docker(&["volume", "create", "data"]).ok();
        engine.docker(&["network", "create", "front"]).ok();
        engine
            .docker(&[
                "run",
                "-d",
                "--name",
                "web",
                "--network",
                "front",
                "-v",
                "data:/d",
                "busybox",
                "sleep",
                "600",
            ])
            .ok();
        let before = pid(engine, "web");
        let backup = engine.directory().join("backup");
        let backup = backup.to_str().unwrap();
        engine.cr(&["state", "export", backup]).ok();
        let refused = state(engine, &["migrate", "--to", "file"]);
        assert!(refused.code != 0 && refused.stderr.contains("stop the daemon first"), "{}", refused.stderr);
        // Who names an address only does not mean the records of the usual place.
        engine.cr(&["state", "import", "--replace", backup]).fails(1, "a daemon answers at unix://");
        let mode = |name: &str| {
            let metadata = std::fs::metadata(engine.directory().join("root").join(name)).unwrap();
            std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777
        };
        assert_eq!(mode("state.redb"), 0o600, "environment variables are in it");

        let settings = [
            ("file", "state: {driver: file}\n".to_owned()),
            ("etcd", etcd_settings(&etcd)),
            ("redb", "state: {driver: redb}\n".to_owned()),
        ];
        for (driver, text) in &settings {
            stop(engine);
            if *driver == "etcd" {
                // Which etcd is said before anything goes there.
                configure(engine, &text.replace("driver: etcd", "driver: file"));
            }
            let said = state(engine, &["migrate", "--to", driver]).ok();
            assert!(said.contains(&format!("set state.driver to {driver}")), "{said}");
            configure(engine, text);
            engine.restart_daemon(&[]);
            assert_eq!(pid(engine, "web"), before, "{driver}");
            assert!(engine.docker(&["volume", "ls"]).ok().contains("data"), "{driver}");
            let name = format!("made-{driver}");
            engine.docker(&["create", "--name", &name, "--network", "front", "busybox", "true"]).ok();
        }
        stop(engine);
        let refused = state(engine, &["import", backup]);
        assert!(refused.code != 0 && refused.stderr.contains("--replace"), "{}", refused.stderr);
        let root = engine.directory().join("root");
        let offline = state(engine, &["export", "--offline"]).ok();
        assert!(offline.contains("made-redb"), "{offline}");
        assert!(root.join("state.redb.before-file").exists());
        engine.restart_daemon(&[]);
        // Whatever was made since the backup must not be left on the disk.
        engine.docker(&["rm", "made-file", "made-etcd", "made-redb"]).ok();
        stop(engine);
        state(engine, &["import", backup, "--replace"]).ok();
        engine.restart_daemon(&[]);
        assert_eq!(pid(engine, "web"), before, "the backup has the container that still runs");
    });
}

/// etcd counts on through an import: by its revision the backup would be newer than the disk.
#[test]
fn an_import_into_etcd_ends_no_container() {
    let etcd = Etcd::start(&[]);
    let settings = Settings { config: etcd_settings(&etcd), ..Settings::default() };
    with_private_engine(settings, |engine| {
        let backup = engine.directory().join("backup");
        engine.cr(&["state", "export", backup.to_str().unwrap()]).ok();
        engine.docker(&["run", "-d", "--name", "late", "busybox", "sleep", "600"]).ok();
        let process = engine.inspect("late", "{{.State.Pid}}");
        let runs = || std::path::Path::new(&format!("/proc/{process}")).exists();
        stop(engine);
        state(engine, &["import", backup.to_str().unwrap(), "--replace"]).ok();
        engine.restart_daemon(&[]);
        assert!(runs(), "it is from after the backup");
        let found = engine.cr(&["system", "check", "--quick"]);
        assert!(found.code == 1 && found.stdout.contains("store-older"), "{}{}", found.stdout, found.stderr);
        engine.cr(&["system", "check", "--quick", "--repair"]).ok();
        assert!(!runs());
    });
}
