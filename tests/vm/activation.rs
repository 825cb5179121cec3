//! The engine as systemd's unit: socket activation, notification, and containers that outlive it.

use crate::{SYSTEMD, needs};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use tests::{Need, Run, fixtures, lacks, skip, wait_until};

const SOCKET: &str = "container-runtime.socket";
const SERVICE: &str = "container-runtime.service";
const HOST: &str = "unix:///run/container-runtime/engine.sock";

/// There is one engine of the host's, and these tests share it.
static HOSTS_ENGINE: Mutex<()> = Mutex::new(());

#[track_caller]
fn systemctl(arguments: &[&str]) -> String {
    Run::of(Command::new("systemctl").args(arguments)).line()
}

fn property(unit: &str, name: &str) -> String {
    systemctl(&["show", "--value", "--property", name, unit])
}

#[track_caller]
fn docker(arguments: &[&str]) -> Run {
    Run::of(Command::new("docker").args(arguments).env("DOCKER_HOST", HOST))
}

/// With the units installed as `install.sh` does, the socket started, the service not; everything gone afterwards.
#[track_caller]
fn with_units(test: impl FnOnce()) {
    needs(&[SYSTEMD, "/etc/systemd/system/container-runtime.socket", "/usr/local/bin/container-runtime"]);
    if let Some(lacking) = lacks(&[Need::Program("docker")]) {
        return skip(&lacking);
    }
    let _one = HOSTS_ENGINE.lock().unwrap_or_else(PoisonError::into_inner);
    systemctl(&["daemon-reload"]);
    // However often a test before this one has started it.
    systemctl(&["reset-failed"]);
    systemctl(&["start", SOCKET]);
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(test));
    if result.is_err() {
        let journal = Run::of(Command::new("journalctl").args(["--no-pager", "-n", "60", "-u", SERVICE]));
        eprintln!("{}", journal.stdout);
    }
    let purged = Run::of(Command::new("container-runtime").args(["system", "shutdown", "--purge"]));
    systemctl(&["stop", SOCKET, SERVICE]);
    if let Err(panic) = result {
        std::panic::resume_unwind(panic);
    }
    purged.ok();
    let left = fs::read_dir("/sys/fs/cgroup/system.slice").unwrap().flatten();
    let left: Vec<_> = left
        .map(|entry| entry.file_name())
        .filter(|name| name.to_string_lossy().contains("container-runtime"))
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

fn load() {
    docker(&["load", "--input", &fixtures::busybox().display().to_string()]).ok();
}

#[test]
fn the_first_call_starts_the_daemon() {
    with_units(|| {
        assert_eq!(property(SERVICE, "ActiveState"), "inactive");
        assert_eq!(docker(&["version", "--format", "{{.Server.Os}}"]).line(), "linux");
        assert_eq!(property(SERVICE, "ActiveState"), "active");
        assert_eq!(property(SERVICE, "StatusText"), "Serving");
        load();
        assert_eq!(docker(&["run", "--rm", "busybox", "echo", "hi"]).line(), "hi");
        // Stopped by its own verb it stays so, and the socket still calls it.
        Run::of(Command::new("container-runtime").args(["system", "shutdown"])).ok();
        wait_until("the service's end", || property(SERVICE, "ActiveState") == "inactive");
        assert_eq!(property(SERVICE, "Result"), "success");
        assert_eq!(Run::of(Command::new("container-runtime").args(["images", "-q"])).ok().lines().count(), 1);
        assert_eq!(property(SERVICE, "ActiveState"), "active");
    });
}

#[test]
fn after_a_purge_the_socket_still_calls_the_daemon() {
    with_units(|| {
        load();
        docker(&["run", "-d", "--name", "goes", "busybox", "sleep", "60"]).ok();
        Run::of(Command::new("container-runtime").args(["system", "shutdown", "--purge"])).ok();
        assert!(!Path::new("/var/lib/container-runtime").exists());
        wait_until("the service's end", || property(SERVICE, "ActiveState") == "inactive");
        assert_eq!(property(SERVICE, "Result"), "success");
        assert_eq!(docker(&["ps", "--all", "--quiet"]).ok(), "");
        assert_eq!(property(SERVICE, "ActiveState"), "active");
    });
}

#[test]
fn containers_outlive_the_unit() {
    with_units(|| {
        load();
        let script = "n=0; while :; do n=$((n+1)); echo $n; sleep 0.2; done";
        docker(&["run", "-d", "--name", "lives", "--memory", "64m", "busybox", "sh", "-c", script]).ok();
        let state =
            || docker(&["inspect", "--format", "{{.State.Pid}} {{.State.StartedAt}}", "lives"]).line();
        let before = state();
        let pid = before.split(' ').next().unwrap().to_owned();
        let alive = || Path::new(&format!("/proc/{pid}")).exists();
        let lines = || docker(&["logs", "lives"]).stdout.lines().count();
        let main = || property(SERVICE, "MainPID");

        let daemon = main();
        systemctl(&["restart", SERVICE]);
        assert_ne!(main(), daemon);
        assert_eq!(state(), before);
        systemctl(&["stop", SERVICE]);
        assert!(alive());
        assert_eq!(state(), before, "the socket starts it again");
        // Killed, it comes back by itself.
        let daemon = main();
        Run::of(Command::new("systemctl").args(["kill", "--kill-who=main", "-s", "KILL", SERVICE])).ok();
        wait_until("another daemon", || ![daemon.as_str(), "0"].contains(&main().as_str()));
        assert_eq!(state(), before);
        let counted = lines();
        wait_until("more output", || lines() > counted);
        let printed = docker(&["logs", "lives"]).ok();
        for (number, line) in printed.lines().enumerate() {
            assert_eq!(line, (number + 1).to_string());
        }
        docker(&["stop", "-t", "1", "lives"]).ok();
        assert!(!alive());
        docker(&["rm", "lives"]).ok();
    });
}

#[test]
fn a_command_starts_the_unit_and_no_daemon_beside_it() {
    with_units(|| {
        systemctl(&["stop", SOCKET]);
        let _ = fs::remove_file(HOST.trim_start_matches("unix://"));
        Run::of(Command::new("container-runtime").args(["ps"])).ok();
        assert_eq!(property(SERVICE, "ActiveState"), "active");
        assert_eq!(property(SOCKET, "ActiveState"), "active");
    });
}
