//! Containers, their processes, directories, layers and mounts; volumes; the store as a whole.

use super::{
    NOBODY, check, is_mended, is_named, is_silent, named_and_mended, root, settings, state, with_witness,
};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use tests::{Run, TestEngine, wait_until};

fn id(engine: &TestEngine, name: &str) -> String {
    engine.inspect(name, "{{.Id}}")
}

fn pid(engine: &TestEngine, name: &str) -> u32 {
    engine.inspect(name, "{{.State.Pid}}").parse().unwrap()
}

fn signal(pid: u32, signal: Signal) {
    kill_process(Pid::from_raw(pid as i32).unwrap(), signal).unwrap();
}

fn parent_of(pid: u32) -> u32 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    stat.rsplit_once(") ").unwrap().1.split(' ').nth(1).unwrap().parse().unwrap()
}

fn run(engine: &TestEngine, name: &str, options: &[&str]) {
    engine.docker(&[&["run", "-d", "--name", name], options, &["busybox", "sleep", "600"]].concat()).ok();
}

#[test]
fn container_dead() {
    with_witness(settings(0), |engine| {
        run(engine, "c1", &[]);
        let (pid, id) = (pid(engine, "c1"), id(engine, "c1"));
        // It can't tell of the end.
        signal(parent_of(pid), Signal::STOP);
        signal(pid, Signal::KILL);
        let expected = [("container-dead", id.as_str())];
        is_named(engine, &expected);
        assert_eq!(engine.inspect("c1", "{{.State.Status}}"), "running");
        is_mended(engine, &expected);
        assert_eq!(engine.inspect("c1", "{{.State.Status}} {{.State.ExitCode}}"), "exited 137");
        engine.docker(&["start", "c1"]).ok();
        engine.docker(&["rm", "-f", "c1"]).ok();
    });
}

/// The cgroup of this name beside the witness's, on a hierarchy that counts processes.
fn cgroup(engine: &TestEngine, name: &str) -> PathBuf {
    let own = fs::read_to_string(format!("/proc/{}/cgroup", pid(engine, "witness"))).unwrap();
    let group = |controller: &str| {
        own.lines().find_map(|line| {
            let (names, path) = line.split_once(':')?.1.split_once(':')?;
            names.split(',').any(|one| one == controller).then(|| path.trim_start_matches('/').to_owned())
        })
    };
    let (mount, path) = match group("pids") {
        Some(path) => ("/sys/fs/cgroup/pids", path),
        None => ("/sys/fs/cgroup", group("").unwrap()),
    };
    Path::new(mount).join(path).parent().unwrap().join(name)
}

/// Whether systemd makes the cgroups, whose names do not say whose they are.
fn has_scopes(engine: &TestEngine) -> bool {
    engine.docker(&["info", "--format", "{{.CgroupDriver}}"]).line() == "systemd"
}

#[test]
fn process_without_container_and_cgroup_without_container() {
    with_witness(settings(0), |engine| {
        if has_scopes(engine) {
            return tests::skip("cgroups that the engine makes itself");
        }
        let done = id(engine, "done");
        for name in [NOBODY, &done] {
            let group = cgroup(engine, name);
            let make = || fs::create_dir(&group).unwrap();
            named_and_mended(engine, make, &[("cgroup-without-container", name)]);
            let mut stray: Child = Command::new("sleep").arg("600").spawn().unwrap();
            let make = || {
                fs::create_dir(&group).unwrap();
                fs::write(group.join("cgroup.procs"), stray.id().to_string()).unwrap();
            };
            named_and_mended(engine, make, &[("process-without-container", name)]);
            assert_eq!(stray.wait().unwrap().code(), None, "it was killed");
            assert!(!group.exists());
        }
        let other = cgroup(engine, "notes");
        fs::create_dir(&other).unwrap();
        is_silent(engine);
        fs::remove_dir(&other).unwrap();
    });
}

#[test]
fn bundle_without_container_and_mount_without_container() {
    with_witness(settings(0), |engine| {
        let done = id(engine, "done");
        for name in [NOBODY, &done] {
            let bundle = state(engine, "containers").join(name);
            let make = || fs::create_dir_all(bundle.join("rootfs")).unwrap();
            named_and_mended(engine, make, &[("bundle-without-container", name)]);
            let make = || {
                fs::create_dir_all(bundle.join("rootfs")).unwrap();
                Run::of(Command::new("mount").args(["-t", "tmpfs", "none"]).arg(bundle.join("rootfs"))).ok();
            };
            let expected = [("mount-without-container", name), ("bundle-without-container", name)];
            named_and_mended(engine, make, &expected);
            assert!(!bundle.exists());
        }
        fs::create_dir(state(engine, "containers/notes")).unwrap();
        is_silent(engine);
        fs::remove_dir(state(engine, "containers/notes")).unwrap();
    });
}

#[test]
fn container_half_removed() {
    with_witness(settings(0), |engine| {
        let (layers, directories) = (root(engine, "layers/c"), root(engine, "containers"));
        let copy = |from: &Path, to: &Path| {
            Run::of(Command::new("cp").arg("-a").arg(from).arg(to)).ok();
        };
        let done = id(engine, "done");
        let halves = [(true, false), (false, true), (true, true)];
        for (layer, directory) in halves {
            let make = || {
                if layer {
                    copy(&layers.join(&done), &layers.join(NOBODY));
                }
                if directory {
                    copy(&directories.join(&done), &directories.join(NOBODY));
                }
            };
            named_and_mended(engine, make, &[("container-half-removed", NOBODY)]);
            assert!(!layers.join(NOBODY).exists() && !directories.join(NOBODY).exists());
        }
        // The same at a start.
        copy(&layers.join(&done), &layers.join(NOBODY));
        engine.kill_daemon();
        engine.restart_daemon(&[]);
        assert!(!layers.join(NOBODY).exists());
        assert!(engine.daemon_log().contains("disagreement=\"container-half-removed\""));
        is_silent(engine);
        engine.docker(&["start", "-a", "done"]).ok();
    });
}

#[test]
fn container_without_layer_and_container_without_directory() {
    with_witness(settings(0), |engine| {
        let done = id(engine, "done");
        let layer = root(engine, "layers/c").join(&done);
        let make = || fs::remove_dir_all(&layer).unwrap();
        named_and_mended(engine, make, &[("container-without-layer", &done)]);
        engine.docker(&["start", "-a", "done"]).ok();
        let directory = root(engine, "containers").join(&done);
        let make = || fs::remove_dir_all(&directory).unwrap();
        named_and_mended(engine, make, &[("container-without-directory", &done)]);
        engine.docker(&["start", "-a", "done"]).ok();

        // What can't be mended is said to be so.
        engine.docker(&["commit", "done", "own"]).ok();
        engine.docker(&["create", "--name", "lost", "own"]).ok();
        engine.docker(&["rmi", "-f", "own"]).ok();
        fs::remove_dir_all(root(engine, "layers/c").join(id(engine, "lost"))).unwrap();
        let (found, code) = check(engine, &["--repair"]);
        assert_eq!((found[0]["Repaired"].as_bool(), code), (Some(false), 1), "{found:?}");
        let outcome = found[0]["Outcome"].as_str().unwrap();
        assert!(outcome.contains("its image") && outcome.contains("docker rm"), "{outcome}");
        engine.docker(&["rm", "lost"]).ok();
        is_silent(engine);
    });
}

#[test]
fn volume_without_record_and_volume_without_directory() {
    with_witness(settings(0), |engine| {
        let found = root(engine, "volumes/found/_data");
        let make = || {
            fs::create_dir_all(&found).unwrap();
            fs::write(found.join("x"), "kept").unwrap();
        };
        named_and_mended(engine, make, &[("volume-without-record", "found")]);
        assert_eq!(engine.docker(&["volume", "ls", "-q"]).line(), "found");
        assert_eq!(engine.docker(&["run", "--rm", "-v", "found:/v", "busybox", "cat", "/v/x"]).ok(), "kept");
        let make = || fs::create_dir_all(root(engine, "volumes/empty/_data")).unwrap();
        named_and_mended(engine, make, &[("volume-without-record", "empty")]);
        assert!(!root(engine, "volumes/empty").exists());
        let make = || fs::remove_dir_all(root(engine, "volumes/found")).unwrap();
        named_and_mended(engine, make, &[("volume-without-directory", "found")]);
        assert!(found.exists());
        engine.docker(&["volume", "rm", "found"]).ok();
    });
}

#[test]
fn volume_not_mounted_and_a_volumes_mount_without_container() {
    with_witness(settings(0), |engine| {
        let options = ["--opt", "type=tmpfs", "--opt", "device=tmpfs"];
        engine.docker(&[&["volume", "create"], &options[..], &["vol"]].concat()).ok();
        run(engine, "c1", &["-v", "vol:/v"]);
        let data = root(engine, "volumes/vol/_data");
        let make = || drop(Run::of(Command::new("umount").arg(&data)).ok());
        named_and_mended(engine, make, &[("volume-not-mounted", "vol")]);
        engine.docker(&["rm", "-f", "c1"]).ok();
        wait_until("its mount is gone", || engine.cr(&["system", "check", "--quick"]).code == 0);
        let make = || drop(Run::of(Command::new("mount").args(["-t", "tmpfs", "none"]).arg(&data)).ok());
        named_and_mended(engine, make, &[("mount-without-container", "vol")]);
        // A mount on a volume that asks for none is its owner's.
        engine.docker(&["volume", "create", "plain"]).ok();
        let data = root(engine, "volumes/plain/_data");
        Run::of(Command::new("mount").args(["-t", "tmpfs", "none"]).arg(&data)).ok();
        is_silent(engine);
        Run::of(Command::new("umount").arg(&data)).ok();
        engine.docker(&["volume", "rm", "vol", "plain"]).ok();
    });
}

#[test]
fn store_older() {
    with_witness(settings(0), |engine| {
        let (store, old, new) = ("state.redb", "old.redb", "new.redb");
        let copy = |from: &str, to: &str| {
            fs::copy(root(engine, from), root(engine, to)).unwrap();
            // As the refusal of an older copy says: whoever removes it means what is done.
            match fs::remove_file(root(engine, "state.redb.mark")) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => panic!("{error}"),
                _ => {}
            }
        };
        let end = || {
            signal(engine.daemon_pid(), Signal::TERM);
            engine.wait_for_daemons_end();
        };
        end();
        copy(store, old);
        engine.restart_daemon(&[]);
        engine.docker(&["network", "create", "later"]).ok();
        // Empty as yet, and in use.
        run(engine, "late", &["--network", "later", "-v", "data:/data"]);
        let (late, pid) = (id(engine, "late"), pid(engine, "late"));
        let told = state(engine, "netd").join(format!("container-{late}.json"));
        let volume = root(engine, "volumes/data");
        end();
        copy(store, new);
        copy(old, store);
        engine.restart_daemon(&[]);

        // Nothing is done to what it does not know, at no start.
        let runs = || Path::new(&format!("/proc/{pid}")).exists();
        for _ in 0..2 {
            let (found, code) = check(engine, &[]);
            assert!(code == 1 && found.iter().any(|one| one["Kind"] == "store-older"), "{found:?}");
            assert!(runs() && root(engine, "containers").join(&late).exists());
            assert!(told.exists() && volume.exists());
            engine.kill_daemon();
            engine.restart_daemon(&[]);
        }
        // The newer one comes back, and so does the container.
        engine.kill_daemon();
        copy(new, store);
        engine.restart_daemon(&[]);
        assert_eq!(engine.inspect("late", "{{.State.Status}} {{.State.Pid}}"), format!("running {pid}"));
        let reaches =
            ["exec", "late", "sh", "-c", "ping -c 1 -W 2 $(ip route | awk '/default/ { print $3 }')"];
        engine.docker(&reaches).ok();
        engine.docker(&["exec", "late", "touch", "/data/file"]).ok();
        assert!(volume.join("_data/file").exists(), "it has another directory");
        is_silent(engine);

        // It stays lost, and a repair says so of all that it was.
        end();
        copy(old, store);
        engine.restart_daemon(&[]);
        let (mended, code) = check(engine, &["--repair"]);
        assert_eq!(code, 0, "{mended:?}");
        assert!(mended.iter().any(|one| one["Kind"] == "store-older" && one["Thing"] == late.as_str()));
        is_silent(engine);
        assert!(!runs() && !root(engine, "containers").join(&late).exists() && !told.exists());
        assert_eq!(
            engine.docker(&["volume", "ls", "-q"]).ok(),
            "data
"
        );
        end();
        let noted = fs::read_to_string(root(engine, "state.revision")).unwrap();
        assert!(noted.parse::<u64>().unwrap() < u64::MAX, "nothing is left that it does not know");
        engine.restart_daemon(&[]);
        fs::remove_file(root(engine, old)).unwrap();
        fs::remove_file(root(engine, new)).unwrap();
    });
}
