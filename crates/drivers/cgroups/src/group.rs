//! One cgroup on all its hierarchies.

use crate::error::{Error, Result};
use crate::files;
use crate::host::Controller;
use crate::stats::{BlockIoStats, CpuStats, MemoryStats, PidsStats, Stats};
use crate::stats_read as read;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A cgroup by its path; it need not exist.
#[derive(Debug, Clone)]
pub struct Cgroup {
    pub(crate) place: Place,
}

/// Its directories.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    V1 {
        by_controller: BTreeMap<Controller, PathBuf>,
        /// Once each, with those of hierarchies without a known controller.
        all: Vec<PathBuf>,
    },
    V2(PathBuf),
}

impl Cgroup {
    pub(crate) fn v1(by_controller: BTreeMap<Controller, PathBuf>, all: Vec<PathBuf>) -> Self {
        Self { place: Place::V1 { by_controller, all } }
    }

    pub(crate) fn v2(directory: PathBuf) -> Self {
        Self { place: Place::V2(directory) }
    }

    /// All its directories, existing or not.
    pub(crate) fn directories(&self) -> &[PathBuf] {
        match &self.place {
            Place::V1 { all, .. } => all,
            Place::V2(directory) => std::slice::from_ref(directory),
        }
    }

    /// Its directory on the hierarchy of a v1 controller.
    pub(crate) fn of(&self, controller: Controller) -> Option<&Path> {
        match &self.place {
            Place::V1 { by_controller, .. } => by_controller.get(&controller).map(PathBuf::as_path),
            Place::V2(_) => None,
        }
    }

    /// Whether it exists on any hierarchy.
    pub fn exists(&self) -> bool {
        self.directories().iter().any(|directory| directory.is_dir())
    }

    /// Everything that is counted. Fails with NotFound if the cgroup does not exist.
    pub fn stats(&self) -> Result<Stats> {
        Ok(Stats {
            cpu: self.cpu()?,
            memory: self.memory()?,
            block_io: self.block_io()?,
            pids: self.pids_stats()?,
        })
    }

    /// Processor time; none: the host lacks the controller.
    pub fn cpu(&self) -> Result<Option<CpuStats>> {
        match &self.place {
            Place::V1 { .. } => self
                .of(Controller::CpuAcct)
                .map(|directory| read::cpu_v1(self.of(Controller::Cpu), directory))
                .transpose(),
            Place::V2(directory) => read::cpu_v2(directory).map(Some),
        }
    }

    /// Memory; none: the host lacks the controller.
    pub fn memory(&self) -> Result<Option<MemoryStats>> {
        match &self.place {
            Place::V1 { .. } => self.of(Controller::Memory).map(read::memory_v1).transpose(),
            Place::V2(directory) => self.v2_part(directory, read::memory_v2),
        }
    }

    /// Block devices; none: the host lacks the controller.
    pub fn block_io(&self) -> Result<Option<BlockIoStats>> {
        match &self.place {
            Place::V1 { .. } => self.of(Controller::BlockIo).map(read::block_io_v1).transpose(),
            Place::V2(directory) => self.v2_part(directory, read::block_io_v2),
        }
    }

    /// Processes, as the controller counts them; none: the host lacks the controller.
    pub fn pids_stats(&self) -> Result<Option<PidsStats>> {
        match &self.place {
            Place::V1 { .. } => self.of(Controller::Pids).map(read::pids).transpose(),
            Place::V2(directory) => self.v2_part(directory, read::pids),
        }
    }

    /// On v2 a controller that is not enabled here leaves its files out of an existing cgroup.
    fn v2_part<T>(&self, directory: &Path, read: fn(&Path) -> Result<T>) -> Result<Option<T>> {
        match read(directory) {
            Err(error) if error.is_missing() && self.exists() => Ok(None),
            result => result.map(Some),
        }
    }

    /// Ids of all processes here and below on any hierarchy, ascending.
    pub fn pids(&self) -> Result<Vec<u32>> {
        let mut found = BTreeSet::new();
        for directory in self.directories() {
            for cgroup in files::subtree(directory)? {
                let path = cgroup.join("cgroup.procs");
                let text = match files::read_if_there(&path) {
                    // A threaded cgroup's processes are listed at the root of its domain.
                    Err(Error::File { cause, .. }) if cause.raw_os_error() == Some(EOPNOTSUPP) => continue,
                    text => text?.unwrap_or_default(),
                };
                found.extend(text.lines().filter_map(|line| line.parse::<u32>().ok()));
            }
        }
        Ok(found.into_iter().collect())
    }
}

/// What `cgroup.procs` of a threaded cgroup answers.
const EOPNOTSUPP: i32 = 95;
