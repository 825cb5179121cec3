//! Limits on v2: `Documentation/admin-guide/cgroup-v2.rst` of the kernel. The specification speaks of v1; what has
//! another range there is converted as runc does.

use super::v1::pids;
use super::{UNLIMITED, refused, set, set_some};
use crate::error::Result;
use crate::files;
use oci_spec::runtime::{LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxResources};
use std::path::Path;

pub(super) fn limit(directory: &Path, resources: &LinuxResources) -> Result<()> {
    if let Some(limits) = resources.memory() {
        memory(directory, limits)?;
    }
    if let Some(limits) = resources.cpu() {
        cpu(directory, limits)?;
    }
    if let Some(limits) = resources.pids() {
        set(directory, "pids.max", pids(limits.limit()))?;
    }
    if let Some(limits) = resources.block_io() {
        block_io(directory, limits)?;
    }
    for limit in resources.hugepage_limits().iter().flatten() {
        set(directory, &format!("hugetlb.{}.max", limit.page_size()), limit.limit())?;
    }
    for (file, value) in resources.unified().iter().flatten() {
        if file.contains('/') {
            return Err(refused("unified", format!("{file:?} is not the name of a file of a cgroup")));
        }
        set(directory, file, value)?;
    }
    Ok(())
}

fn memory(directory: &Path, limits: &LinuxMemory) -> Result<()> {
    if let Some(swap) = swap(limits)? {
        match set(directory, "memory.swap.max", number(swap)) {
            // Where the kernel does not account swap there is none to limit, or none at all.
            Err(error) if error.is_missing() && matches!(swap, UNLIMITED | 0) => {}
            set => set?,
        }
    }
    for (file, value) in [("memory.max", limits.limit()), ("memory.low", limits.reservation())] {
        if let Some(value) = value.filter(|value| *value != 0) {
            set(directory, file, number(value))?;
        }
    }
    Ok(())
}

/// Swap alone, where the specification has it together with memory.
fn swap(limits: &LinuxMemory) -> Result<Option<i64>> {
    match (limits.swap().unwrap_or(0), limits.limit().unwrap_or(0)) {
        (0, UNLIMITED) => Ok(Some(UNLIMITED)),
        (0, _) => Ok(None),
        (UNLIMITED, _) | (_, UNLIMITED) => Ok(Some(UNLIMITED)),
        (_, 0) => Err(refused("memory with swap", "it needs a limit of memory too")),
        (both, memory) if both < memory => {
            Err(refused("memory with swap", format!("{both} is less than memory alone, {memory}")))
        }
        (both, memory) => Ok(Some(both - memory)),
    }
}

fn number(limit: i64) -> String {
    if limit == UNLIMITED { "max".to_owned() } else { limit.to_string() }
}

fn cpu(directory: &Path, limits: &LinuxCpu) -> Result<()> {
    if limits.realtime_runtime().is_some_and(|runtime| runtime > 0)
        || limits.realtime_period().is_some_and(|period| period > 0)
    {
        return Err(refused("real-time processor time", "cgroup v2 has no such limit"));
    }
    set_some(directory, "cpu.weight", limits.shares().filter(|shares| *shares > 0).map(weight_of_shares))?;
    let quota = limits.quota().filter(|quota| *quota != 0);
    if quota.is_some() || limits.period().is_some_and(|period| period > 0) {
        let now = files::read(&directory.join("cpu.max"))?;
        let mut now = now.split_whitespace();
        let quota = match quota {
            Some(quota) if quota > 0 => quota.to_string(),
            Some(_) => "max".to_owned(),
            None => now.next().unwrap_or("max").to_owned(),
        };
        let period = limits.period().filter(|period| *period > 0).map(|period| format!(" {period}"));
        set(directory, "cpu.max", quota + &period.unwrap_or_default())?;
    }
    limits.burst().map_or(Ok(()), |burst| set(directory, "cpu.max.burst", burst))?;
    limits.idle().map_or(Ok(()), |idle| set(directory, "cpu.idle", idle))?;
    set_some(directory, "cpuset.cpus", limits.cpus().clone())?;
    set_some(directory, "cpuset.mems", limits.mems().clone())
}

/// From 2…262144 with 1024 in the middle to 1…10000 with 100 in the middle.
fn weight_of_shares(shares: u64) -> u64 {
    match shares {
        0..=2 => 1,
        262_144.. => 10_000,
        shares => {
            #[expect(clippy::cast_precision_loss, reason = "at most 18 bits")]
            let log = (shares as f64).log2();
            let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 10,000")]
            let weight = 10f64.powf(exponent).ceil() as u64;
            weight
        }
    }
}

fn block_io(directory: &Path, limits: &LinuxBlockIo) -> Result<()> {
    if limits.leaf_weight().is_some_and(|weight| weight > 0) {
        return Err(refused("the leaf weight of block devices", "cgroup v2 has no such limit"));
    }
    if let Some(weight) = limits.weight().filter(|weight| *weight > 0) {
        match directory.join(BFQ).exists() {
            true => set(directory, BFQ, weight)?,
            false => set(directory, "io.weight", format!("default {}", weight_of_io(weight)))?,
        }
    }
    for device in limits.weight_device().iter().flatten() {
        let Some(weight) = device.weight().filter(|weight| *weight > 0) else { continue };
        let number = format!("{}:{}", device.major(), device.minor());
        match directory.join(BFQ).exists() {
            true => set(directory, BFQ, format!("{number} {weight}"))?,
            false => set(directory, "io.weight", format!("{number} {}", weight_of_io(weight)))?,
        }
    }
    for (key, devices) in [
        ("rbps", limits.throttle_read_bps_device()),
        ("wbps", limits.throttle_write_bps_device()),
        ("riops", limits.throttle_read_iops_device()),
        ("wiops", limits.throttle_write_iops_device()),
    ] {
        for device in devices.iter().flatten() {
            let rate = if device.rate() == 0 { "max".to_owned() } else { device.rate().to_string() };
            set(directory, "io.max", format!("{}:{} {key}={rate}", device.major(), device.minor()))?;
        }
    }
    Ok(())
}

/// Where the kernel's scheduler is BFQ, with the range of v1.
const BFQ: &str = "io.bfq.weight";

/// From 10…1000 to 1…10000.
fn weight_of_io(weight: u16) -> u32 {
    1 + u32::from(weight.saturating_sub(10)) * 9999 / 990
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_spec::runtime::LinuxMemoryBuilder;

    #[test]
    fn weights_keep_their_ends_and_their_middle() {
        assert_eq!([2, 1024, 262_144].map(weight_of_shares), [1, 100, 10_000]);
        assert_eq!([10, 500, 1000].map(weight_of_io), [1, 4950, 10_000]);
    }

    #[test]
    fn swap_that_is_not_accounted_can_only_be_limited_to_none_or_all() {
        let directory = tempfile::tempdir().unwrap();
        let limit = |both| {
            std::fs::write(directory.path().join("memory.max"), "").unwrap();
            let limits = LinuxMemoryBuilder::default().limit(100).swap(both).build().unwrap();
            memory(directory.path(), &limits)?;
            crate::files::read(&directory.path().join("memory.max"))
        };
        assert_eq!(limit(100_i64).unwrap(), "100");
        assert_eq!(limit(-1).unwrap(), "100");
        assert!(limit(150).unwrap_err().is_missing());
    }

    #[test]
    fn swap_is_what_memory_leaves_of_both() {
        let swap = |memory: i64, both: i64| {
            swap(&LinuxMemoryBuilder::default().limit(memory).swap(both).build().unwrap())
        };
        assert_eq!(swap(100, 150).unwrap(), Some(50));
        assert_eq!(swap(100, 0).unwrap(), None);
        assert_eq!(swap(100, -1).unwrap(), Some(UNLIMITED));
        assert!(swap(100, 50).is_err() && swap(0, 50).is_err());
    }
}
