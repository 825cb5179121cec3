//! One cgroup on all its hierarchies.

use crate::error::Result;
use crate::stats::{BlockIoStats, CpuStats, MemoryStats, PidsStats, Stats};

/// A cgroup by its path; it need not exist.
#[derive(Debug, Clone)]
pub struct Cgroup {}

impl Cgroup {
    /// Whether it exists on any hierarchy.
    pub fn exists(&self) -> bool {
        todo!()
    }

    /// Everything that is counted.
    pub fn stats(&self) -> Result<Stats> {
        todo!()
    }

    /// Processor time.
    pub fn cpu(&self) -> Result<Option<CpuStats>> {
        todo!()
    }

    /// Memory.
    pub fn memory(&self) -> Result<Option<MemoryStats>> {
        todo!()
    }

    /// Block devices.
    pub fn block_io(&self) -> Result<Option<BlockIoStats>> {
        todo!()
    }

    /// Processes, as the controller counts them.
    pub fn pids_stats(&self) -> Result<Option<PidsStats>> {
        todo!()
    }

    /// How many processes the kernel has killed here for lack of memory.
    pub fn oom_kills(&self) -> Result<u64> {
        todo!()
    }

    /// Ids of all processes here and below, ascending.
    pub fn pids(&self) -> Result<Vec<u32>> {
        todo!()
    }

    /// Stops all processes here and below; returns once the kernel says so.
    pub fn freeze(&self) -> Result<()> {
        todo!()
    }

    /// Undoes [`Cgroup::freeze`].
    pub fn thaw(&self) -> Result<()> {
        todo!()
    }

    /// Whether it is frozen.
    pub fn is_frozen(&self) -> Result<bool> {
        todo!()
    }

    /// Sends SIGKILL to everything here and below, thaws it, and returns once no process is left. An absent cgroup
    /// is success.
    pub fn kill(&self) -> Result<()> {
        todo!()
    }

    /// Removes the empty cgroup with everything below. An absent one is success.
    pub fn remove(&self) -> Result<()> {
        todo!()
    }
}
