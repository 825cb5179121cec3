//! `stats`: one sample of what a container uses.

use crate::Services;
use errors::Result;
use ids::{ContainerId, ContainerName};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A sample.
#[derive(Debug, Clone)]
pub struct Stats {
    /// Container.
    pub id: ContainerId,
    /// Its name.
    pub name: ContainerName,
    /// Nanoseconds since 1970.
    pub read_at: i64,
    /// Its cgroup's counters; none: it does not run.
    pub cgroup: Option<cgroups::Stats>,
    /// Processor time of the whole host, in nanoseconds.
    pub system_cpu: u64,
    /// Processors.
    pub online_cpus: usize,
    /// Memory of the host, in bytes.
    pub host_memory: u64,
    /// Counters by interface, the container's own view.
    pub networks: BTreeMap<String, InterfaceStats>,
}

/// Counters of a network interface.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InterfaceStats {
    /// Bytes, packets, errors, drops received.
    pub received: [u64; 4],
    /// Bytes, packets, errors, drops sent.
    pub sent: [u64; 4],
}

/// Takes one sample; of a container that does not run, an empty one.
///
/// # Errors
/// `NotFound`, and what reading the cgroup fails with.
pub async fn stats(services: &Arc<Services>, reference: &str) -> Result<Stats> {
    let container = services.containers.find(reference)?;
    let record = container.record();
    let pid = record.state.pid();
    let group = services.cgroups.cgroup(&super::cgroup_path(services, &record));
    let (cgroup, networks) = offload::blocking(move || -> Result<_> {
        let Some(pid) = pid else { return Ok((None, BTreeMap::new())) };
        let networks = std::fs::read_to_string(format!("/proc/{pid}/net/dev")).unwrap_or_default();
        Ok((Some(group.stats()?), interfaces(&networks)))
    })
    .await?;
    Ok(Stats {
        id: record.id.clone(),
        name: record.name.clone(),
        read_at: crate::now(),
        cgroup,
        system_cpu: std::fs::read_to_string("/proc/stat")
            .ok()
            .and_then(|text| system_cpu(&text))
            .unwrap_or(0),
        online_cpus: services.host.cpus,
        host_memory: services.host.memory,
        networks,
    })
}

/// The first line of `/proc/stat`: hundredths of a second by kind; guest time is already in user time.
fn system_cpu(text: &str) -> Option<u64> {
    let fields = text.lines().next()?.strip_prefix("cpu ")?;
    let ticks: u64 = fields.split_whitespace().take(8).filter_map(|field| field.parse::<u64>().ok()).sum();
    Some(ticks * 10_000_000)
}

/// `/proc/net/dev` without loopback.
fn interfaces(text: &str) -> BTreeMap<String, InterfaceStats> {
    text.lines()
        .filter_map(|line| {
            let (name, fields) = line.split_once(':')?;
            let numbers: Vec<u64> =
                fields.split_whitespace().filter_map(|field| field.parse().ok()).collect();
            let part = |from: usize| numbers.get(from..from + 4)?.try_into().ok();
            Some((name.trim().to_owned(), InterfaceStats { received: part(0)?, sent: part(8)? }))
        })
        .filter(|(name, _)| name != "lo")
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_files_are_read() {
        assert_eq!(system_cpu("cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1\n"), Some(360_000_000));
        let text = "Inter-|\n face |\n    lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n  eth0: 10 2 0 1 0 0 0 0 20 3 4 5 0 0 0 0\n";
        let found = interfaces(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found["eth0"], InterfaceStats { received: [10, 2, 0, 1], sent: [20, 3, 4, 5] });
    }
}
