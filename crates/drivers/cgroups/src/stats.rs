//! What cgroups count, in the kernel's units, the same for both versions.

use std::collections::BTreeMap;

/// All numbers of a cgroup; a part is absent where the host lacks the controller.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stats {
    /// Processor time.
    pub cpu: Option<CpuStats>,
    /// Memory.
    pub memory: Option<MemoryStats>,
    /// Block devices.
    pub block_io: Option<BlockIoStats>,
    /// Processes.
    pub pids: Option<PidsStats>,
}

/// Processor time, in nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CpuStats {
    /// All.
    pub total: u64,
    /// In user mode.
    pub user: u64,
    /// In the kernel.
    pub system: u64,
    /// By processor; v1 only, else empty.
    pub per_cpu: Vec<u64>,
    /// What the quota did.
    pub throttling: Throttling,
}

/// What the processor quota did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Throttling {
    /// Periods with runnable processes.
    pub periods: u64,
    /// Periods in which the quota ran out.
    pub throttled_periods: u64,
    /// Nanoseconds.
    pub throttled_time: u64,
}

/// Memory, in bytes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemoryStats {
    /// In use, page cache included.
    pub usage: u64,
    /// Highest use; v1, and v2 since Linux 5.19; else 0.
    pub max_usage: u64,
    /// Limit; `u64::MAX`: none.
    pub limit: u64,
    /// How often the limit was hit; v1: `failcnt`, v2: `max` of `memory.events`.
    pub failures: u64,
    /// `memory.stat` as it is.
    pub stat: BTreeMap<String, u64>,
}

/// Block devices.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BlockIoStats {
    /// Bytes.
    pub service_bytes: Vec<BlockIoEntry>,
    /// Operations.
    pub serviced: Vec<BlockIoEntry>,
}

/// One counter of one device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockIoEntry {
    /// Device.
    pub major: u64,
    /// Device.
    pub minor: u64,
    /// `read`, `write`, `sync`, `async`, `discard`, `total`.
    pub operation: String,
    /// Count.
    pub value: u64,
}

/// Processes and threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PidsStats {
    /// Now.
    pub current: u64,
    /// Limit; none: unlimited.
    pub limit: Option<u64>,
}
