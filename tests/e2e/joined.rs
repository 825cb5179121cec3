//! Joining the namespaces of a container that ends at that very moment, with its process number given to a stranger.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command};
use tests::{Need, Settings, lacks, skip, wait_until, with_private_engine};

/// Where the kernel takes the number of the next process from.
const LAST_PID: &str = "/proc/sys/kernel/ns_last_pid";

#[test]
fn nobody_gets_the_namespaces_of_a_stranger_with_a_dead_containers_number() {
    if let Some(lacking) = lacks(&[Need::Program("runc"), Need::Path(LAST_PID)]) {
        return skip(&lacking);
    }
    let directory = tempfile::tempdir().unwrap();
    let (creating, go) = (directory.path().join("creating"), directory.path().join("go"));
    let settings = Settings { config: slow_runc(directory.path()), ..Settings::default() };
    with_private_engine(settings, |engine| {
        engine.docker(&["run", "-d", "--name", "donor", "busybox", "sleep", "600"]).ok();
        let options = ["--runtime", "slow", "--network", "container:donor"];
        let create = [&["create", "--name", "joiner"], &options[..], &["busybox", "sleep", "600"]];
        engine.docker(&create.concat()).ok();
        let pid: u32 = engine.inspect("donor", "{{.State.Pid}}").parse().unwrap();
        std::thread::scope(|scope| {
            let start = scope.spawn(|| engine.docker(&["start", "joiner"]));
            wait_until("the runtime's start", || creating.exists());
            engine.docker(&["kill", "donor"]).ok();
            let mut stranger = process_with(pid);
            fs::write(&go, "").unwrap();
            let started = start.join().unwrap();
            stranger.kill().unwrap();
            stranger.wait().unwrap();
            started.fails(1, "ended while its namespaces were joined");
        });
        assert_eq!(engine.inspect("joiner", "{{.State.Status}}"), "created");
        engine.docker(&["rm", "-f", "donor", "joiner"]).ok();
    });
}

/// The configuration of a runtime that waits for a file before it creates a container.
fn slow_runc(directory: &Path) -> String {
    let (path, here) = (directory.join("slow-runc"), directory.display());
    let wait = format!("touch {here}/creating; while [ ! -e {here}/go ]; do sleep 0.02; done");
    let script = format!("#!/bin/sh\ncase \" $* \" in *' create '*) {wait};; esac\nexec runc \"$@\"\n");
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    format!("runtime:\n  runtimes:\n    slow:\n      path: {}\n", path.display())
}

/// A process of ours with this number.
fn process_with(pid: u32) -> Child {
    for _ in 0..10_000 {
        fs::write(LAST_PID, (pid - 1).to_string()).unwrap();
        let mut child = Command::new("sleep").arg("600").spawn().unwrap();
        if child.id() == pid {
            return child;
        }
        child.kill().unwrap();
        child.wait().unwrap();
    }
    panic!("the number {pid} is not to be had");
}
