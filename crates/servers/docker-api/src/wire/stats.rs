//! A sample of `GET /containers/{id}/stats`. Its keys are in snake case, unlike all others.

use serde::Serialize;
use std::collections::BTreeMap;

/// A sample, with the processor's part of the one before.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Stats {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) read: String,
    pub(crate) preread: String,
    pub(crate) pids_stats: Pids,
    pub(crate) blkio_stats: Blkio,
    pub(crate) num_procs: u32,
    pub(crate) storage_stats: super::Empty,
    pub(crate) cpu_stats: Cpu,
    pub(crate) precpu_stats: Cpu,
    pub(crate) memory_stats: Memory,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) networks: BTreeMap<String, Network>,
}

/// Processes.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Pids {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u64>,
}

/// Block devices; `null` where the container does not run.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Blkio {
    pub(crate) io_service_bytes_recursive: Option<Vec<BlkioEntry>>,
    pub(crate) io_serviced_recursive: Option<Vec<BlkioEntry>>,
    pub(crate) io_queue_recursive: Option<Vec<BlkioEntry>>,
    pub(crate) io_service_time_recursive: Option<Vec<BlkioEntry>>,
    pub(crate) io_wait_time_recursive: Option<Vec<BlkioEntry>>,
    pub(crate) io_merged_recursive: Option<Vec<BlkioEntry>>,
    pub(crate) io_time_recursive: Option<Vec<BlkioEntry>>,
    pub(crate) sectors_recursive: Option<Vec<BlkioEntry>>,
}

/// One counter of one device.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct BlkioEntry {
    pub(crate) major: u64,
    pub(crate) minor: u64,
    pub(crate) op: String,
    pub(crate) value: u64,
}

/// Processor time, in nanoseconds.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Cpu {
    pub(crate) cpu_usage: CpuUsage,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) system_cpu_usage: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) online_cpus: Option<usize>,
    pub(crate) throttling_data: Throttling,
}

/// By kind.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct CpuUsage {
    pub(crate) total_usage: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) percpu_usage: Vec<u64>,
    pub(crate) usage_in_kernelmode: u64,
    pub(crate) usage_in_usermode: u64,
}

/// What the quota did.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Throttling {
    pub(crate) periods: u64,
    pub(crate) throttled_periods: u64,
    pub(crate) throttled_time: u64,
}

/// Memory, in bytes.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Memory {
    #[serde(skip_serializing_if = "super::is_zero")]
    pub(crate) usage: u64,
    #[serde(skip_serializing_if = "super::is_zero")]
    pub(crate) max_usage: u64,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) stats: BTreeMap<String, u64>,
    #[serde(skip_serializing_if = "super::is_zero")]
    pub(crate) failcnt: u64,
    #[serde(skip_serializing_if = "super::is_zero")]
    pub(crate) limit: u64,
}

/// An interface.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Network {
    pub(crate) rx_bytes: u64,
    pub(crate) rx_packets: u64,
    pub(crate) rx_errors: u64,
    pub(crate) rx_dropped: u64,
    pub(crate) tx_bytes: u64,
    pub(crate) tx_packets: u64,
    pub(crate) tx_errors: u64,
    pub(crate) tx_dropped: u64,
}
