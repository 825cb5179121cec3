//! Disks that take nothing: a read-only root directory, one that becomes read-only under the engine, a full one.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::OwnRegistry;
use tests::{Need, Run, Settings, TestEngine, fixtures, lacks, skip, with_private_engine};

fn mount(arguments: &[&str], target: &Path) {
    Run::of(Command::new("mount").args(arguments).arg(target)).ok();
}

/// A file system at a directory, taken away when dropped.
struct Mounted(PathBuf);

impl Mounted {
    fn new(arguments: &[&str], target: &Path) -> Self {
        mount(arguments, target);
        Self(target.to_owned())
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}

/// Starts the engine again with another file system as its root directory, and with `busybox` in it.
fn restart_on(engine: &TestEngine, arguments: &[&str]) -> Mounted {
    engine.kill_daemon();
    let mounted = Mounted::new(arguments, &engine.directory().join("root"));
    engine.restart_daemon(&[]);
    engine.docker(&["load", "--input", &fixtures::busybox().display().to_string()]).ok();
    mounted
}

/// Back to the root directory from before, which the test's end removes.
fn restart_without(engine: &TestEngine, mounted: Mounted) {
    engine.kill_daemon();
    drop(mounted);
    engine.restart_daemon(&[]);
}

#[test]
fn a_read_only_root_directory_is_refused_at_the_start() {
    with_private_engine(Settings::default(), |engine| {
        let here = engine.directory().join("ro");
        fs::create_dir(&here).unwrap();
        let mounted = Mounted::new(&["-t", "tmpfs", "tmpfs"], &here);
        fs::create_dir(here.join("made")).unwrap();
        mount(&["-o", "remount,ro"], &here);
        for root in ["made", "missing"] {
            let (root, state) = (here.join(root), engine.directory().join("state2"));
            let socket = engine.directory().join("second.sock");
            let mut daemon = Command::new(engine.cr_command(&[]).get_program());
            daemon.arg("daemon").arg("--root").arg(&root).arg("--state").arg(&state);
            daemon.arg("-H").arg(format!("unix://{}", socket.display()));
            let before = engine.footprint();
            let run = Run::of(&mut daemon);
            let said = format!("{}{}", run.stdout, run.stderr);
            assert_ne!(run.code, 0, "{said}");
            assert!(
                said.contains("Read-only file system") && said.contains(root.to_str().unwrap()),
                "{said}"
            );
            assert!(!socket.exists(), "the socket is left");
            assert_eq!(engine.footprint(), before);
            let left = fs::read_dir(&state).map_or(0, Iterator::count);
            assert_eq!(left, 0, "left in {}", state.display());
            let _ = fs::remove_dir(&state);
        }
        drop(mounted);
        fs::remove_dir(&here).unwrap();
    });
}

#[test]
fn a_root_directory_that_becomes_read_only() {
    let needs = [Need::Program("mkfs.ext4"), Need::Path("/dev/loop-control")];
    if let Some(lacking) = lacks(&needs) {
        return skip(&lacking);
    }
    with_private_engine(Settings::default(), |engine| {
        let image = engine.directory().join("disk");
        fs::File::create(&image).unwrap().set_len(64 << 20).unwrap();
        Run::of(Command::new("mkfs.ext4").args(["-q", "-F"]).arg(&image)).ok();
        let image_text = image.to_str().unwrap();
        let mounted = restart_on(engine, &["-o", "loop,errors=remount-ro", image_text]);
        engine.docker(&["run", "-d", "--name", "up", "--restart", "always", "busybox", "sleep", "600"]).ok();
        engine.docker(&["create", "--name", "made", "busybox", "true"]).ok();
        engine.docker(&["run", "-d", "--name", "frozen", "busybox", "sleep", "600"]).ok();
        engine.docker(&["pause", "frozen"]).ok();
        let daemon = engine.daemon_pid();

        report_an_error(&engine.directory().join("root"));
        let read_only = "Read-only file system";
        engine.docker(&["run", "--rm", "busybox", "true"]).fails(125, read_only);
        engine.docker(&["start", "made"]).fails(1, read_only);
        engine.docker(&["rename", "made", "other"]).fails(1, read_only);
        engine.docker(&["volume", "create", "some"]).fails(1, read_only);
        engine.docker(&["tag", "busybox", "some:1"]).fails(1, read_only);
        engine.docker(&["rm", "made"]).fails(1, read_only);
        let load = ["load", "--input", &fixtures::busybox().display().to_string()];
        engine.docker(&load).fails(1, read_only);
        let create = serde_json::json!({"Image": "busybox"});
        assert_eq!(engine.api("POST", "/containers/create", Some(&create)).status, 503);
        // A pause that can't be recorded is taken back.
        engine.docker(&["pause", "up"]).fails(1, read_only);
        assert_eq!(engine.docker(&["exec", "up", "echo", "goes on"]).ok(), "goes on\n");
        // A thawing stands.
        engine.docker(&["unpause", "frozen"]).ok();
        assert_eq!(engine.inspect("frozen", "{{.State.Status}}"), "running");
        assert_eq!(engine.inspect("made", "{{.State.Status}}"), "created");
        assert_eq!(engine.docker(&["ps", "-aq"]).ok().lines().count(), 3);
        // What runs can be ended all the same, and stays so.
        engine.docker(&["kill", "up"]).ok();
        assert_eq!(engine.inspect("up", "{{.State.Status}} {{.State.ExitCode}}"), "exited 137");
        engine.docker(&["kill", "frozen"]).ok();
        engine.docker(&["rm", "-f", "up"]).fails(1, read_only);
        assert_eq!(engine.daemon_pid(), daemon);
        assert_eq!(engine.api("GET", "/_ping", None).status, 200);

        restart_without(engine, mounted);
        fs::remove_file(&image).unwrap();
    });
}

/// Makes the kernel take a file system for damaged.
fn report_an_error(root: &Path) {
    let source = Run::of(Command::new("findmnt").args(["-no", "SOURCE"]).arg(root)).line();
    let device = source.trim_start_matches("/dev/");
    fs::write(format!("/sys/fs/ext4/{device}/trigger_fs_error"), "test").unwrap();
}

#[test]
fn a_full_disk_is_told_and_survived() {
    full_disk("redb");
}

#[test]
fn a_full_disk_is_told_and_survived_with_records_in_files() {
    full_disk("file");
}

fn full_disk(state: &str) {
    let settings = Settings { config: format!("state: {{driver: {state}}}\n"), ..Settings::default() };
    with_private_engine(settings, |engine| {
        let mounted = restart_on(engine, &["-t", "tmpfs", "-o", "size=24m", "tmpfs"]);
        let images = engine.docker(&["images", "-q"]).ok();
        let large = engine.directory().join("large.tar");
        let mut archive = tar::Builder::new(fs::File::create(&large).unwrap());
        let mut header = tar::Header::new_gnu();
        header.set_size(40 << 20);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, "large", std::io::Read::take(std::io::repeat(b'x'), 40 << 20))
            .unwrap();
        archive.finish().unwrap();
        let full = "No space left on device";
        engine.docker(&["import", large.to_str().unwrap(), "large:1"]).fails(1, full);
        assert_eq!(engine.docker(&["images", "-q"]).ok(), images);
        // What the import had written is gone again.
        engine.docker(&["run", "--rm", "busybox", "sh", "-c", "head -c 8m /dev/zero >/x"]).ok();
        engine
            .docker(&["run", "-d", "--name", "fills", "busybox", "sh", "-c", "cat /dev/zero >/x; sleep 600"])
            .ok();
        tests::wait_until("the disk is full", || {
            engine.docker(&["exec", "fills", "sh", "-c", "echo x >/y"]).code != 0
        });
        let run = engine.docker(&["run", "--name", "none", "busybox", "true"]);
        assert!(run.code != 0 && run.stderr.contains(full), "{run:?}");
        // Records may be changed or not: what was answered holds, for a daemon that starts on such a disk too.
        let mut name = "fills".to_owned();
        let id = engine.inspect(&name, "{{.Id}}");
        for number in 0..200 {
            let next = format!("{}-{number}", "long".repeat(60));
            let run = engine.docker(&["rename", &id, &next]);
            match run.code {
                0 => name = next,
                _ => assert!(run.stderr.contains(full), "{run:?}"),
            }
        }
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        assert_eq!(engine.inspect(&id, "{{.State.Status}} {{.Name}}"), format!("running /{name}"));
        engine.docker(&["kill", &id]).ok();
        assert_eq!(engine.inspect(&id, "{{.State.Status}} {{.State.ExitCode}}"), "exited 137");
        engine.docker(&["rm", &id]).ok();
        engine.docker(&["inspect", &id]).fails(1, "o such");
        tests::wait_until("room again", || engine.docker(&["run", "--rm", "busybox", "true"]).code == 0);
        restart_without(engine, mounted);
        fs::remove_file(&large).unwrap();
    });
}

/// An image of one layer, so many bytes of which compress badly, as `docker save` writes it.
fn archive_of(name: &str, bytes: usize) -> Vec<u8> {
    let mut state = 7_u64;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    });
    let mut layer = fixtures::Archive::default();
    layer.file("large", 0o644, &noise.take(bytes).collect::<Vec<_>>());
    fixtures::docker_archive(name, &layer.finish(), &serde_json::json!({}))
}

#[test]
fn a_disk_that_fills_in_the_middle_of_load_and_commit_keeps_nothing_of_them() {
    with_private_engine(Settings::default(), |engine| {
        let mounted = restart_on(engine, &["-t", "tmpfs", "-o", "size=24m", "tmpfs"]);
        let full = "No space left on device";
        let large = engine.directory().join("large.tar");
        fs::write(&large, archive_of("large:1", 16 << 20)).unwrap();
        let used = || {
            let usage = engine.api("GET", "/system/df", None).json();
            usage["LayersSize"].as_u64().unwrap()
        };
        let before = used();
        engine.docker(&["load", "--input", large.to_str().unwrap()]).fails(1, full);
        tests::wait_until("the load's files are gone", || used() == before);
        // What a container wrote fits once, and not a second time beside it.
        let write = "head -c 10m /dev/urandom >/x";
        engine.docker(&["run", "--name", "wrote", "busybox", "sh", "-c", write]).ok();
        engine.docker(&["commit", "wrote", "committed:1"]).fails(1, full);
        tests::wait_until("the commit's files are gone", || used() == before);
        assert_eq!(engine.docker(&["images", "-q"]).ok().lines().count(), 1);
        // The engine goes on, and finds nothing wrong.
        let clean = engine.cr(&["system", "check"]).ok();
        assert!(clean.contains("nothing is wrong"), "{clean}");
        engine.docker(&["rm", "wrote"]).ok();
        tests::wait_until("room again", || engine.docker(&["run", "--rm", "busybox", "true"]).code == 0);
        restart_without(engine, mounted);
        fs::remove_file(&large).unwrap();
    });
}

#[test]
fn a_disk_that_fills_in_the_middle_of_a_pull_keeps_nothing_of_it() {
    with_private_engine(Settings::default(), |engine| {
        let registry = OwnRegistry::start(&engine.directory().join("registry"), &[]);
        let (name, file) = (registry.name("large:1"), engine.directory().join("large.tar"));
        fs::write(&file, archive_of(&name, 16 << 20)).unwrap();
        engine.docker(&["load", "--input", file.to_str().unwrap()]).ok();
        engine.docker(&["push", "--quiet", &name]).ok();
        engine.docker(&["rmi", &name]).ok();
        let mounted = restart_on(engine, &["-t", "tmpfs", "-o", "size=24m", "tmpfs"]);
        let stored = || -> BTreeSet<_> {
            let places = ["blobs/blobs/sha256", "blobs/ingest", "blobs/partial", "layers/l", "layers/tmp"];
            let root = engine.directory().join("root");
            let read = |place| fs::read_dir(root.join(place)).unwrap().map(|entry| entry.unwrap().path());
            places.into_iter().flat_map(read).collect()
        };
        let before = stored();
        engine.docker(&["pull", &name]).fails(1, "No space left on device");
        tests::wait_until("the pull's files are gone", || stored() == before);
        assert_eq!(engine.docker(&["images", "-q"]).ok().lines().count(), 1);
        // The engine goes on, finds nothing wrong, and pulls once there is room.
        assert_eq!(engine.docker(&["run", "--rm", "busybox", "echo", "on"]).ok(), "on\n");
        let clean = engine.cr(&["system", "check"]).ok();
        assert!(clean.contains("nothing is wrong"), "{clean}");
        mount(&["-o", "remount,size=96m"], &engine.directory().join("root"));
        engine.docker(&["pull", "--quiet", &name]).ok();
        restart_without(engine, mounted);
        fs::remove_file(&file).unwrap();
    });
}
