//! The kernel's freezer of a process's cgroup, in either version.

use std::fs;
use std::path::PathBuf;

/// The file that freezes, and what is written to it.
#[derive(Debug)]
pub struct Freezer {
    file: PathBuf,
    frozen: &'static str,
    thawed: &'static str,
}

impl Freezer {
    /// Of the cgroup that a process is in.
    #[track_caller]
    pub fn of(pid: u32) -> Self {
        let groups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
        let path = |controller: &str| {
            groups.lines().find_map(|line| {
                let (name, path) = line.split_once(':')?.1.split_once(':')?;
                (name == controller).then_some(path)
            })
        };
        match path("freezer") {
            Some(path) => Self {
                file: format!("/sys/fs/cgroup/freezer{path}/freezer.state").into(),
                frozen: "FROZEN",
                thawed: "THAWED",
            },
            None => Self {
                file: format!("/sys/fs/cgroup{}/cgroup.freeze", path("").unwrap_or_default()).into(),
                frozen: "1",
                thawed: "0",
            },
        }
    }

    /// Whether it is frozen; not, once it is gone.
    pub fn is_frozen(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|state| state.trim() == self.frozen)
    }

    /// Freezes or thaws it.
    #[track_caller]
    pub fn set(&self, frozen: bool) {
        fs::write(&self.file, if frozen { self.frozen } else { self.thawed }).unwrap();
    }
}
