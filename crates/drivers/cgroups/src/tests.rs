//! Real cgroups of this host. They need root and writable hierarchies; without, they say so and pass.

use crate::{Cgroup, Host};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

/// A cgroup of the test's own, removed at its end.
struct Scratch {
    cgroup: Cgroup,
    children: Vec<Child>,
}

impl Scratch {
    fn new(name: &str) -> Option<Self> {
        let host = Host::detect().expect("cgroups are mounted");
        let path = PathBuf::from(format!("/cgroups-test-{}-{name}", std::process::id()));
        let cgroup = host.cgroup(&path);
        for directory in cgroup.directories() {
            if let Err(error) = std::fs::create_dir(directory) {
                println!("skipped: cannot make {}: {error}", directory.display());
                return None;
            }
            // A cpuset takes no process before it has its processors and memory.
            for file in ["cpuset.cpus", "cpuset.mems"] {
                if let Ok(value) = std::fs::read(directory.with_file_name(file)) {
                    std::fs::write(directory.join(file), value).unwrap();
                }
            }
        }
        Some(Self { cgroup, children: Vec::new() })
    }

    fn spawn(&mut self, below: &str) -> u32 {
        let child = Command::new("sleep").arg("1000").spawn().unwrap();
        let pid = child.id();
        self.children.push(child);
        for directory in self.cgroup.directories() {
            let directory = directory.join(below);
            let _ = std::fs::create_dir(&directory);
            if std::fs::write(directory.join("cgroup.procs"), pid.to_string()).is_err() {
                // Nested cpusets are not set up; the other hierarchies suffice.
                let _ = std::fs::remove_dir(&directory);
            }
        }
        pid
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.cgroup.kill().unwrap();
        for child in &mut self.children {
            child.wait().unwrap();
        }
        self.cgroup.remove().unwrap();
        assert!(!self.cgroup.exists());
    }
}

#[test]
fn processes_are_listed_frozen_killed_and_the_cgroup_removed() {
    let Some(mut scratch) = Scratch::new("life") else { return };
    let mut pids = vec![scratch.spawn(""), scratch.spawn("below")];
    pids.sort_unstable();
    assert_eq!(scratch.cgroup.pids().unwrap(), pids);
    assert!(scratch.cgroup.exists());
    scratch.cgroup.freeze().unwrap();
    assert!(scratch.cgroup.is_frozen().unwrap());
    scratch.cgroup.thaw().unwrap();
    assert!(!scratch.cgroup.is_frozen().unwrap());
    // Killing works on frozen ones too.
    scratch.cgroup.freeze().unwrap();
    scratch.cgroup.kill().unwrap();
    assert!(scratch.cgroup.pids().unwrap().is_empty());
}

#[test]
fn counts_are_there_for_a_living_cgroup() {
    let Some(mut scratch) = Scratch::new("stats") else { return };
    scratch.spawn("");
    let stats = scratch.cgroup.stats().unwrap();
    assert!(stats.cpu.is_some());
    if let Some(pids) = stats.pids {
        assert_eq!(pids.current, 1);
    }
    if let Some(memory) = stats.memory {
        assert!(memory.limit > 0 && !memory.stat.is_empty());
    }
}

#[test]
fn an_absent_cgroup_is_already_killed_and_removed() {
    let cgroup = Host::detect().unwrap().cgroup(Path::new("/no-such-cgroup/at-all"));
    cgroup.kill().unwrap();
    cgroup.remove().unwrap();
    assert!(!cgroup.exists());
    assert!(cgroup.stats().unwrap_err().is_missing());
    assert!(cgroup.pids().unwrap().is_empty());
}
