//! Samples of what a container uses.

use crate::http::timestamp;
use crate::wire::stats::{Blkio, BlkioEntry, Cpu, CpuUsage, Memory, Network, Pids, Stats, Throttling};
use engine::container::{InterfaceStats, Stats as Sample};

/// A sample beside the one before it, if there is one.
pub(crate) fn stats(sample: &Sample, before: Option<&Sample>) -> Stats {
    let cgroup = sample.cgroup.as_ref();
    let running = cgroup.map(|_| sample);
    Stats {
        name: format!("/{}", sample.name),
        id: sample.id.to_string(),
        read: timestamp::format(running.map(|sample| sample.read_at)),
        preread: timestamp::format(
            before.filter(|before| before.cgroup.is_some()).map(|before| before.read_at),
        ),
        pids_stats: cgroup
            .and_then(|cgroup| cgroup.pids)
            .map(|pids| Pids { current: Some(pids.current), limit: pids.limit })
            .unwrap_or_default(),
        blkio_stats: blkio(sample),
        num_procs: 0,
        storage_stats: crate::wire::Empty {},
        cpu_stats: cpu(sample),
        precpu_stats: before.map(cpu).unwrap_or_default(),
        memory_stats: memory(sample),
        networks: sample.networks.iter().map(|(name, stats)| (name.clone(), network(stats))).collect(),
    }
}

fn cpu(sample: &Sample) -> Cpu {
    let Some(cpu) = sample.cgroup.as_ref().and_then(|cgroup| cgroup.cpu.as_ref()) else {
        return Cpu::default();
    };
    Cpu {
        cpu_usage: CpuUsage {
            total_usage: cpu.total,
            percpu_usage: cpu.per_cpu.clone(),
            usage_in_kernelmode: cpu.system,
            usage_in_usermode: cpu.user,
        },
        system_cpu_usage: Some(sample.system_cpu),
        online_cpus: Some(sample.online_cpus),
        throttling_data: Throttling {
            periods: cpu.throttling.periods,
            throttled_periods: cpu.throttling.throttled_periods,
            throttled_time: cpu.throttling.throttled_time,
        },
    }
}

fn memory(sample: &Sample) -> Memory {
    let Some(memory) = sample.cgroup.as_ref().and_then(|cgroup| cgroup.memory.as_ref()) else {
        return Memory::default();
    };
    Memory {
        usage: memory.usage,
        max_usage: memory.max_usage,
        stats: memory.stat.clone(),
        failcnt: memory.failures,
        // More than there is means no limit.
        limit: memory.limit.min(sample.host_memory),
    }
}

fn blkio(sample: &Sample) -> Blkio {
    let Some(cgroup) = &sample.cgroup else { return Blkio::default() };
    let io = cgroup.block_io.clone().unwrap_or_default();
    let entries = |list: Vec<cgroups::BlockIoEntry>| {
        let entry = |entry: cgroups::BlockIoEntry| BlkioEntry {
            major: entry.major,
            minor: entry.minor,
            op: entry.operation,
            value: entry.value,
        };
        Some(list.into_iter().map(entry).collect())
    };
    Blkio {
        io_service_bytes_recursive: entries(io.service_bytes),
        io_serviced_recursive: entries(io.serviced),
        io_queue_recursive: Some(Vec::new()),
        io_service_time_recursive: Some(Vec::new()),
        io_wait_time_recursive: Some(Vec::new()),
        io_merged_recursive: Some(Vec::new()),
        io_time_recursive: Some(Vec::new()),
        sectors_recursive: Some(Vec::new()),
    }
}

fn network(stats: &InterfaceStats) -> Network {
    let [rx_bytes, rx_packets, rx_errors, rx_dropped] = stats.received;
    let [tx_bytes, tx_packets, tx_errors, tx_dropped] = stats.sent;
    Network { rx_bytes, rx_packets, rx_errors, rx_dropped, tx_bytes, tx_packets, tx_errors, tx_dropped }
}
