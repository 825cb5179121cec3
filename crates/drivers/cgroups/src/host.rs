//! Which cgroup versions and controllers a host has, and where they are mounted.

use crate::error::{Error, Result};
use crate::files;
use crate::group::Cgroup;
use crate::naming::relative_path;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// How a host mounts cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// A hierarchy per controller.
    V1,
    /// One hierarchy.
    V2,
    /// Controllers on v1, with a v2 hierarchy beside them that has none of the needed ones.
    Hybrid,
}

impl Mode {
    /// `1` or `2`: where the controllers are.
    pub fn version(self) -> u8 {
        match self {
            Self::V1 | Self::Hybrid => 1,
            Self::V2 => 2,
        }
    }
}

/// A controller by its kernel name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Controller {
    /// Processor bandwidth and weight.
    Cpu,
    /// Processor accounting (part of `Cpu` on v2).
    CpuAcct,
    /// Processor and memory node sets.
    CpuSet,
    /// Memory.
    Memory,
    /// Block devices (`io` on v2).
    BlockIo,
    /// Number of processes.
    Pids,
    /// Device access (a BPF program on v2).
    Devices,
    /// Freezing (built in on v2).
    Freezer,
    /// Huge pages.
    HugeTlb,
    /// Tags of packets (v1 only).
    NetClass,
    /// Priorities of packets (v1 only).
    NetPriority,
    /// Performance counters (built in on v2).
    PerfEvent,
}

impl Controller {
    /// Its name on v1, as `/proc/<pid>/cgroup` lists it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::CpuAcct => "cpuacct",
            Self::CpuSet => "cpuset",
            Self::Memory => "memory",
            Self::BlockIo => "blkio",
            Self::Pids => "pids",
            Self::Devices => "devices",
            Self::Freezer => "freezer",
            Self::HugeTlb => "hugetlb",
            Self::NetClass => "net_cls",
            Self::NetPriority => "net_prio",
            Self::PerfEvent => "perf_event",
        }
    }

    /// What v1 mount options and v2's `cgroup.controllers` call it.
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "cpu" => Self::Cpu,
            "cpuacct" => Self::CpuAcct,
            "cpuset" => Self::CpuSet,
            "memory" => Self::Memory,
            "blkio" | "io" => Self::BlockIo,
            "pids" => Self::Pids,
            "devices" => Self::Devices,
            "freezer" => Self::Freezer,
            "hugetlb" => Self::HugeTlb,
            "net_cls" => Self::NetClass,
            "net_prio" => Self::NetPriority,
            "perf_event" => Self::PerfEvent,
            _ => return None,
        })
    }
}

/// The cgroups of this host.
#[derive(Debug, Clone)]
pub struct Host {
    mode: Mode,
    /// v1: mount point by controller.
    v1: BTreeMap<Controller, PathBuf>,
    /// All v1 mount points, those without a known controller too (`name=systemd`).
    v1_all: Vec<PathBuf>,
    /// v2: mount point and the controllers at its root.
    v2: Option<(PathBuf, Vec<Controller>)>,
}

impl Host {
    /// Looks at `/proc/self/mountinfo` and the hierarchies that it names.
    pub fn detect() -> Result<Self> {
        let host = Self::from_mountinfo(&files::read(Path::new("/proc/self/mountinfo"))?);
        if host.v1_all.is_empty() && host.v2.is_none() { Err(Error::NotMounted) } else { Ok(host) }
    }

    /// `proc_pid_mountinfo(5)`: `id parent maj:min root mountpoint options… - type source superoptions`.
    pub(crate) fn from_mountinfo(mountinfo: &str) -> Self {
        let mut host = Self { mode: Mode::V1, v1: BTreeMap::new(), v1_all: Vec::new(), v2: None };
        for line in mountinfo.lines() {
            let Some((mount, superblock)) = line.split_once(" - ") else { continue };
            let Some(point) = mount.split(' ').nth(4).map(PathBuf::from) else { continue };
            let mut superblock = superblock.split(' ');
            let (kind, options) = (superblock.next(), superblock.nth(1).unwrap_or_default());
            match kind {
                Some("cgroup") => host.add_v1(&point, options),
                Some("cgroup2") if host.v2.is_none() => {
                    let controllers = v2_controllers(&point);
                    host.v2 = Some((point, controllers));
                }
                _ => {}
            }
        }
        host.mode = match (&host.v2, host.v1.is_empty()) {
            (Some(_), true) => Mode::V2,
            (Some(_), false) => Mode::Hybrid,
            (None, _) => Mode::V1,
        };
        host
    }

    fn add_v1(&mut self, point: &Path, options: &str) {
        let controllers: Vec<_> = options.split(',').filter_map(Controller::parse).collect();
        // A container's view of its cgroups is no further hierarchy.
        let again = !controllers.is_empty() && controllers.iter().all(|known| self.v1.contains_key(known));
        if again || self.v1_all.iter().any(|known| known == point) {
            return;
        }
        self.v1_all.push(point.to_path_buf());
        for controller in controllers {
            self.v1.entry(controller).or_insert_with(|| point.to_path_buf());
        }
    }

    /// Every controller of v1 with the mount point of its hierarchy, which it may share.
    pub fn v1_controllers(&self) -> impl Iterator<Item = (Controller, &Path)> {
        self.v1.iter().map(|(controller, mount)| (*controller, mount.as_path()))
    }

    /// Where a controller's v1 hierarchy is mounted.
    pub(crate) fn v1_mount(&self, controller: Controller) -> Option<&Path> {
        self.v1.get(&controller).map(PathBuf::as_path)
    }

    /// Where the hierarchies of v1 are mounted, those without a controller too.
    pub fn v1_mounts(&self) -> &[PathBuf] {
        &self.v1_all
    }

    /// Where the v2 hierarchy is mounted.
    pub fn v2_mount(&self) -> Option<&Path> {
        self.v2.as_ref().map(|(mount, _)| mount.as_path())
    }

    /// How cgroups are mounted.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether limits and counts of this controller are available.
    pub fn has(&self, controller: Controller) -> bool {
        match (self.mode, controller) {
            (Mode::V1 | Mode::Hybrid, controller) => self.v1.contains_key(&controller),
            (Mode::V2, Controller::Devices | Controller::Freezer) => true,
            (Mode::V2, Controller::CpuAcct) => self.has(Controller::Cpu),
            (Mode::V2, controller) => {
                self.v2.as_ref().is_some_and(|(_, controllers)| controllers.contains(&controller))
            }
        }
    }

    /// Whether cgroups below the root have this file (`memory.memsw.limit_in_bytes`, `memory.swap.max`, …): some are
    /// a matter of the kernel's configuration. Where no cgroup with the controller is there to look at, the controller decides.
    pub fn has_file(&self, controller: Controller, file: &str) -> bool {
        if !self.has(controller) {
            return false;
        }
        match (self.mode, &self.v2) {
            (Mode::V2, Some((root, _))) => {
                let entries = std::fs::read_dir(root).into_iter().flatten().flatten();
                let children = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
                let children = children.map(|entry| entry.path());
                let mut below = children.filter(|path| v2_controllers(path).contains(&controller)).peekable();
                below.peek().is_none() || below.any(|child| child.join(file).exists())
            }
            _ => self.v1.get(&controller).is_some_and(|root| root.join(file).exists()),
        }
    }

    /// Names of the cgroups directly below a `linux.cgroupsPath`, on whichever hierarchies they are.
    pub fn children(&self, cgroups_path: &Path) -> BTreeSet<String> {
        let group = self.cgroup(cgroups_path);
        let entries = group.directories().iter().filter_map(|directory| std::fs::read_dir(directory).ok());
        let entries = entries.flatten().flatten();
        let below = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        below.filter_map(|entry| entry.file_name().into_string().ok()).collect()
    }

    /// The cgroup that a `linux.cgroupsPath` stands for; it need not exist.
    pub fn cgroup(&self, cgroups_path: &Path) -> Cgroup {
        let below = relative_path(&cgroups_path.to_string_lossy());
        let v2 = self.v2.as_ref().map(|(root, _)| root.join(&below));
        match (self.mode, v2) {
            (Mode::V2, Some(directory)) => Cgroup::v2(directory),
            (_, v2) => {
                let by_controller =
                    self.v1.iter().map(|(controller, root)| (*controller, root.join(&below))).collect();
                let named = self.v1_all.iter().map(|root| root.join(&below)).chain(v2).collect();
                Cgroup::v1(by_controller, named)
            }
        }
    }
}

fn v2_controllers(point: &Path) -> Vec<Controller> {
    let text = files::read(&point.join("cgroup.controllers")).unwrap_or_default();
    text.split_whitespace().filter_map(Controller::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: &str = "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
        40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=systemd\n";
    const UNIFIED: &str = "41 31 0:38 / /nowhere/unified rw,relatime - cgroup2 cgroup2 rw\n";

    #[test]
    fn the_mode_follows_from_the_mounts() {
        assert_eq!(Host::from_mountinfo(V1).mode(), Mode::V1);
        assert_eq!(Host::from_mountinfo(UNIFIED).mode(), Mode::V2);
        assert_eq!(Host::from_mountinfo(&format!("{V1}{UNIFIED}")).mode(), Mode::Hybrid);
        assert_eq!(Mode::Hybrid.version(), 1);
    }

    #[test]
    fn controllers_share_mounts() {
        let host = Host::from_mountinfo(V1);
        assert!(host.has(Controller::Cpu) && host.has(Controller::CpuAcct) && host.has(Controller::Memory));
        assert!(!host.has(Controller::Pids));
        assert!(!host.has_file(Controller::Pids, "pids.max"));
    }

    #[test]
    fn a_second_mount_of_a_hierarchy_is_no_hierarchy() {
        let view = "50 31 0:32 /engine/1f /bundle/cgroups/0/memory rw,nosuid - cgroup cgroup rw,memory\n";
        let host = Host::from_mountinfo(&format!("{V1}{view}"));
        assert_eq!(host.v1_mounts(), Host::from_mountinfo(V1).v1_mounts());
        assert!(host.v1_mounts().iter().any(|mount| mount.ends_with("systemd")));
    }

    #[test]
    fn files_are_looked_for_where_their_controller_is() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("cgroup.controllers"), "memory pids\n").unwrap();
        let host = Host::from_mountinfo(&format!(
            "41 31 0:38 / {} rw - cgroup2 cgroup2 rw\n",
            root.path().display()
        ));
        let swap = || host.has_file(Controller::Memory, "memory.swap.max");
        let make = |name: &str, controllers: &str| {
            std::fs::create_dir(root.path().join(name)).unwrap();
            std::fs::write(root.path().join(name).join("cgroup.controllers"), controllers).unwrap();
        };
        make("without", "pids\n");
        assert!(swap());
        make("with", "memory\n");
        assert!(!swap());
        std::fs::write(root.path().join("with/memory.swap.max"), "max\n").unwrap();
        assert!(swap());
    }

    #[test]
    fn this_host_has_cgroups() {
        let host = Host::detect().unwrap();
        assert!(host.has(Controller::Memory), "{host:?}");
    }
}
