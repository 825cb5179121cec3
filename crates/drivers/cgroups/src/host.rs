//! Which cgroup versions and controllers a host has, and where they are mounted.

use crate::error::Result;
use crate::group::Cgroup;
use std::collections::BTreeMap;
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
}

/// The cgroups of this host.
#[derive(Debug, Clone)]
pub struct Host {
    pub(crate) mode: Mode,
    /// v1: mount point by controller.
    pub(crate) v1: BTreeMap<Controller, PathBuf>,
    /// v2: mount point and the controllers at its root.
    pub(crate) v2: Option<(PathBuf, Vec<Controller>)>,
}

impl Host {
    /// Looks at `/proc/self/mountinfo` and the hierarchies that it names.
    pub fn detect() -> Result<Self> {
        todo!()
    }

    /// How cgroups are mounted.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether limits and counts of this controller are available.
    pub fn has(&self, controller: Controller) -> bool {
        let _ = controller;
        todo!()
    }

    /// Whether a file such as `memory.memsw.limit_in_bytes` exists for non-root cgroups (swap accounting, realtime
    /// groups, …). Decided by looking at the hierarchy.
    pub fn has_file(&self, controller: Controller, file: &str) -> bool {
        let _ = (controller, file);
        todo!()
    }

    /// The cgroup that a `linux.cgroupsPath` stands for; it need not exist.
    pub fn cgroup(&self, cgroups_path: &Path) -> Cgroup {
        let _ = cgroups_path;
        todo!()
    }
}
