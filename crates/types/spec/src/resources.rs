//! cgroup limits. All bytes, microseconds and counts are the kernel's own units unless said otherwise.

use serde::{Deserialize, Serialize};

/// Limits of a container's cgroup; `None` leaves the kernel's default.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Bytes.
    pub memory: Option<i64>,
    /// Bytes, a soft limit.
    pub memory_reservation: Option<i64>,
    /// Memory plus swap in bytes, as Docker counts it; -1: unlimited swap.
    pub memory_swap: Option<i64>,
    /// 0 to 100; v1 only.
    pub memory_swappiness: Option<i64>,
    /// Do not kill on OOM; v1 only.
    pub oom_kill_disable: Option<bool>,
    /// In units of 1e-9 CPUs (`--cpus`).
    pub nano_cpus: Option<i64>,
    /// Relative weight, 2 to 262144.
    pub cpu_shares: Option<i64>,
    /// Microseconds.
    pub cpu_period: Option<i64>,
    /// Microseconds of each period.
    pub cpu_quota: Option<i64>,
    /// Microseconds.
    pub cpu_realtime_period: Option<i64>,
    /// Microseconds of each realtime period.
    pub cpu_realtime_runtime: Option<i64>,
    /// `0-2,4`.
    pub cpuset_cpus: Option<String>,
    /// `0-1`.
    pub cpuset_mems: Option<String>,
    /// Number of processes and threads; 0 or -1: no limit.
    pub pids_limit: Option<i64>,
    /// 10 to 1000.
    pub blkio_weight: Option<u16>,
    /// Per device.
    pub blkio_weight_device: Vec<BlkioWeight>,
    /// Bytes per second.
    pub blkio_read_bps: Vec<BlkioThrottle>,
    /// Bytes per second.
    pub blkio_write_bps: Vec<BlkioThrottle>,
    /// Operations per second.
    pub blkio_read_iops: Vec<BlkioThrottle>,
    /// Operations per second.
    pub blkio_write_iops: Vec<BlkioThrottle>,
}

/// A block device's share.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlkioWeight {
    /// Device path on the host.
    pub path: String,
    /// 10 to 1000.
    pub weight: u16,
}

/// A block device's rate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlkioThrottle {
    /// Device path on the host.
    pub path: String,
    /// Per second.
    pub rate: u64,
}
