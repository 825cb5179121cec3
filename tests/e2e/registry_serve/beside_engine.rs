//! The registry that the daemon serves (`registry.serve`): what is pushed to it is on disk once, and runs without a copy.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tests::fixtures::Archive;
use tests::registry::free_port;
use tests::{Settings, TestEngine, with_private_engine};

/// Runs a test with an engine that serves a registry, and the registry's host.
#[track_caller]
fn with_served(more: &str, test: impl FnOnce(&TestEngine, &str)) {
    let host = format!("127.0.0.1:{}", free_port());
    let config = format!("registry:\n  serve:\n    listen: {host}\n{more}");
    let flags = vec!["--log-level".to_owned(), "debug".to_owned()];
    with_private_engine(Settings { config, flags, ..Settings::default() }, |engine| test(engine, &host));
}

/// Names of the blobs below a directory, and the files that they are.
fn blobs(root: &Path) -> BTreeMap<String, u64> {
    let files = fs::read_dir(root.join("blobs/sha256")).unwrap().map(Result::unwrap);
    files.map(|file| (file.file_name().into_string().unwrap(), file.metadata().unwrap().ino())).collect()
}

/// How often the registry was asked for something that is called so.
fn asked(engine: &TestEngine, what: &str) -> usize {
    let log = engine.daemon_log();
    log.lines().filter(|line| line.contains("method=GET") && line.contains(what)).count()
}

#[test]
fn what_is_pushed_is_on_disk_once() {
    with_served("", |engine, host| {
        let name = format!("{host}/team/app:1");
        engine.docker(&["tag", "busybox", &name]).ok();
        engine.docker(&["push", &name]).ok();
        let root = engine.directory().join("root");
        let (ours, served) = (blobs(&root.join("blobs")), blobs(&root.join("registry")));
        assert!(served.len() >= 3, "config, layer, manifest: {served:?}");
        let shared = served.iter().filter(|(digest, inode)| ours.get(*digest) == Some(inode)).count();
        assert!(shared >= 2, "config and layer: {ours:?} {served:?}");
        let info = engine.docker(&["info", "--format", "{{.DriverStatus}}"]).ok();
        assert!(info.contains(&format!("[Registry http://{host}]")), "{info}");
    });
}

#[test]
fn what_was_pushed_runs_and_no_blob_is_fetched() {
    with_served("", |engine, host| {
        let name = format!("{host}/app:1");
        engine.docker(&["tag", "busybox", &name]).ok();
        engine.docker(&["push", &name]).ok();
        engine.docker(&["rmi", &name, "busybox"]).ok();
        let root = engine.directory().join("root");
        let served = blobs(&root.join("registry"));
        assert!(blobs(&root.join("blobs")).keys().all(|digest| !served.contains_key(digest)), "all is gone");
        assert_eq!(engine.docker(&["run", "--rm", &name, "echo", "ok"]).ok(), "ok\n");
        assert_eq!(asked(engine, "/manifests/1"), 1, "{}", engine.daemon_log());
        assert_eq!(asked(engine, "/blobs/sha256:"), 0);
        let ours = blobs(&root.join("blobs"));
        let shared = served.iter().filter(|(digest, inode)| ours.get(*digest) == Some(inode)).count();
        assert!(shared >= 2, "config and layer: {ours:?} {served:?}");
        let check = engine.cr(&["system", "check"]);
        check.ok();
    });
}

#[test]
fn the_registry_keeps_what_the_engine_removes_and_the_other_way_round() {
    with_served("    gc_interval: 1\n", |engine, host| {
        let name = format!("{host}/app:1");
        engine.docker(&["tag", "busybox", &name]).ok();
        engine.docker(&["push", &name]).ok();
        engine.docker(&["rmi", &name, "busybox"]).ok();
        engine.docker(&["image", "prune", "--all", "--force"]).ok();
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        engine.docker(&["pull", &name]).ok();
        // As if the registry had lost all of it.
        let registry = engine.directory().join("root/registry");
        for digest in blobs(&registry).keys() {
            fs::remove_file(registry.join("blobs/sha256").join(digest)).unwrap();
        }
        engine.docker(&["pull", &name]).fails(1, "manifest unknown");
        assert_eq!(engine.docker(&["run", "--rm", "--pull", "never", &name, "echo", "ok"]).ok(), "ok\n");
        let found = engine.cr(&["system", "check"]);
        assert!(found.code == 1 && found.stdout.contains("(of app:1)\n  is not there"), "{found:?}");
        engine.docker(&["push", &name]).ok();
        engine.docker(&["pull", &name]).ok();
    });
}

#[test]
fn an_address_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    with_served("", |engine, _| {
        engine.cr(&["system", "shutdown"]).ok();
        engine.wait_for_daemons_end();
        let path = engine.directory().join("container-runtime.yaml");
        let config = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("registry: {{serve: {{listen: '{address}'}}}}\n")).unwrap();
        engine.start_daemon();
        engine.wait_for_daemons_end();
        let log = engine.daemon_log();
        let told = format!("serve the registry of registry.serve: listen on {address}");
        assert!(log.contains(&told), "{log}");
        fs::write(&path, config).unwrap();
        engine.restart_daemon(&[]);
    });
}

#[test]
fn a_kill_in_the_midst_of_a_push_loses_nothing() {
    with_served("", |engine, host| {
        let name = format!("{host}/app:1");
        for (round, delay) in [5, 20, 60, 120, 250].into_iter().enumerate() {
            // Each round has a layer of its own, so that there is something to send.
            let tar = engine.directory().join("layer.tar");
            let mut layer = Archive::default();
            layer.file("noise", 0o644, &noise(4 << 20, round as u64));
            fs::write(&tar, layer.finish()).unwrap();
            engine.docker(&["import", tar.to_str().unwrap(), &name]).ok();
            let mut push = engine.docker_command(&["push", &name]).stdout(Stdio::null()).spawn().unwrap();
            std::thread::sleep(Duration::from_millis(delay));
            engine.kill_daemon();
            let _ = push.wait();
            engine.restart_daemon(&[]);
            engine.docker(&["push", &name]).ok();
            engine.docker(&["rmi", &name]).ok();
            engine.docker(&["pull", &name]).ok();
            engine.cr(&["system", "check"]).ok();
        }
        let half = engine.directory().join("root/registry/partial");
        assert!(fs::read_dir(half).unwrap().count() <= 5, "at most one upload a kill, which gc takes away");
    });
}

/// Bytes that no compression makes fewer.
fn noise(size: usize, seed: u64) -> Vec<u8> {
    let mut state = 2 * seed + 1;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    (0..size).map(|_| next()).collect()
}

/// As with the engine's own blobs: told, taken from where it is, or put aside with the images that have to be pushed again.
#[test]
fn a_check_looks_at_the_registry_too() {
    with_served("", |engine, host| {
        let name = format!("{host}/team/app:1");
        engine.docker(&["tag", "busybox", &name]).ok();
        engine.docker(&["push", &name]).ok();
        assert!(engine.cr(&["system", "check"]).ok().contains("nothing is wrong"));
        let root = engine.directory().join("root");
        let (ours, served) = (blobs(&root.join("blobs")), blobs(&root.join("registry")));
        let file = |digest: &str| root.join("registry/blobs/sha256").join(digest);
        let spoil = |digest: &str| {
            fs::remove_file(file(digest)).unwrap();
            fs::write(file(digest), "spoilt").unwrap();
        };
        let shared = served.keys().find(|digest| ours.contains_key(*digest)).unwrap();
        spoil(shared);
        let said = engine.cr(&["system", "check"]);
        let told = format!("registry's blob sha256:{shared} (of team/app:1)\n  is damaged: ");
        assert!(said.code == 1 && said.stdout.contains(&told), "{said:?}");
        let said = engine.cr(&["system", "check", "--repair"]).ok();
        assert!(said.contains("repaired: taken from the engine's own store"), "{said}");
        engine.cr(&["system", "check"]).ok();
        engine.docker(&["rmi", &name, "busybox"]).ok();
        spoil(shared);
        let said = engine.cr(&["system", "check", "--repair"]);
        assert!(said.code == 1 && said.stdout.contains("push team/app:1 again"), "{said:?}");
        assert!(
            !file(shared).exists()
                && root.join("registry/quarantine").join(format!("sha256-{shared}")).exists()
        );
        engine.docker(&["pull", &name]).fails(1, "");
    });
}
