//! Limits on v1: `Documentation/admin-guide/cgroup-v1` of the kernel.

use super::{UNLIMITED, devices, refused, set, set_some};
use crate::error::{Error, Result};
use crate::files;
use crate::group::Cgroup;
use crate::host::Controller;
use oci_spec::runtime::{LinuxBlockIo, LinuxCpu, LinuxMemory, LinuxNetwork, LinuxResources};
use std::io::ErrorKind;
use std::path::Path;

pub(super) fn limit(group: &Cgroup, resources: &LinuxResources) -> Result<()> {
    let directory = |controller: Controller| {
        let name = controller.name();
        group.of(controller).ok_or(Error::NoController { controller: name })
    };
    if let Some(limits) = resources.memory() {
        memory(directory(Controller::Memory)?, limits)?;
    }
    if let Some(limits) = resources.cpu() {
        if uses_cpu(limits) {
            cpu(directory(Controller::Cpu)?, limits)?;
        }
        if limits.cpus().is_some() || limits.mems().is_some() {
            sets(directory(Controller::CpuSet)?, limits)?;
        }
    }
    if let Some(limits) = resources.pids() {
        set(directory(Controller::Pids)?, "pids.max", pids(limits.limit()))?;
    }
    if let Some(limits) = resources.block_io() {
        block_io(directory(Controller::BlockIo)?, limits)?;
    }
    for limit in resources.hugepage_limits().iter().flatten() {
        let file = format!("hugetlb.{}.limit_in_bytes", limit.page_size());
        set(directory(Controller::HugeTlb)?, &file, limit.limit())?;
    }
    if let Some(limits) = resources.network() {
        network(group, limits)?;
    }
    resources
        .devices()
        .as_ref()
        .map_or(Ok(()), |rules| devices::limit(directory(Controller::Devices)?, rules))
}

/// As text: `max` for anything that is not a number of processes.
pub(super) fn pids(limit: i64) -> String {
    if limit > 0 { limit.to_string() } else { "max".to_owned() }
}

fn memory(directory: &Path, limits: &LinuxMemory) -> Result<()> {
    memory_and_swap(directory, limits)?;
    set_some(directory, "memory.soft_limit_in_bytes", limits.reservation())?;
    set_some(directory, "memory.kmem.tcp.limit_in_bytes", limits.kernel_tcp())?;
    if let Some(swappiness) = limits.swappiness() {
        if swappiness > 100 {
            return Err(refused("memory.swappiness", format!("{swappiness} is not between 0 and 100")));
        }
        set(directory, "memory.swappiness", swappiness)?;
    }
    match limits.disable_oom_killer() {
        Some(disabled) => set(directory, "memory.oom_control", u8::from(disabled)),
        None => Ok(()),
    }
}

/// Memory with swap may never be less than memory, so that the order depends on what was set before.
fn memory_and_swap(directory: &Path, limits: &LinuxMemory) -> Result<()> {
    const BOTH: &str = "memory.memsw.limit_in_bytes";
    let is_given = |limit: &i64| *limit != 0;
    let memory = limits.limit().filter(is_given);
    let counts_swap = directory.join(BOTH).exists();
    // Without a limit of memory one of memory with swap is none either, unless it is given.
    let follows = || memory.filter(|memory| *memory == UNLIMITED && counts_swap);
    let both = limits.swap().filter(is_given).or_else(follows);
    if both.is_some() && !counts_swap {
        return Err(refused(
            "memory with swap",
            "this kernel does not count swap (boot it with swapaccount=1)",
        ));
    }
    let set_memory = || memory.map_or(Ok(()), |memory| set_memory(directory, memory));
    let set_both = || both.map_or(Ok(()), |both| set(directory, BOTH, both));
    let now = if both.is_some() { files::number(&directory.join(BOTH))? } else { 0 };
    let grows = memory.zip(both).is_some_and(|(memory, both)| {
        both == UNLIMITED || memory == UNLIMITED || u64::try_from(memory).is_ok_and(|memory| memory > now)
    });
    if grows { set_both().and_then(|()| set_memory()) } else { set_memory().and_then(|()| set_both()) }
}

fn set_memory(directory: &Path, limit: i64) -> Result<()> {
    match set(directory, "memory.limit_in_bytes", limit) {
        Err(Error::File { cause, .. }) if cause.kind() == ErrorKind::ResourceBusy => {
            let number = |file: &str| files::number(&directory.join(file)).unwrap_or_default();
            let (used, peak) = (number("memory.usage_in_bytes"), number("memory.max_usage_in_bytes"));
            let problem =
                format!("unable to set memory limit to {limit} (current usage: {used}, peak usage: {peak})");
            Err(refused("memory", problem))
        }
        set => set,
    }
}

fn uses_cpu(limits: &LinuxCpu) -> bool {
    let numbers = [limits.quota(), limits.realtime_runtime(), limits.idle()];
    let sizes = [limits.shares(), limits.period(), limits.burst(), limits.realtime_period()];
    numbers.iter().any(Option::is_some) || sizes.iter().any(Option::is_some)
}

fn cpu(directory: &Path, limits: &LinuxCpu) -> Result<()> {
    set_some(directory, "cpu.shares", limits.shares())?;
    let period = || set_some(directory, "cpu.cfs_period_us", limits.period());
    match period() {
        // A period that is too short for the present quota comes after the new one.
        Err(Error::File { cause, .. })
            if cause.kind() == ErrorKind::InvalidInput && limits.quota().is_some() =>
        {
            set_some(directory, "cpu.cfs_quota_us", limits.quota())?;
            period()?;
        }
        set => {
            set?;
            set_some(directory, "cpu.cfs_quota_us", limits.quota())?;
        }
    }
    set_some(directory, "cpu.cfs_burst_us", limits.burst())?;
    set_some(directory, "cpu.rt_period_us", limits.realtime_period())?;
    set_some(directory, "cpu.rt_runtime_us", limits.realtime_runtime())?;
    limits.idle().map_or(Ok(()), |idle| set(directory, "cpu.idle", idle))
}

fn sets(directory: &Path, limits: &LinuxCpu) -> Result<()> {
    set_some(directory, "cpuset.cpus", limits.cpus().clone())?;
    set_some(directory, "cpuset.mems", limits.mems().clone())
}

fn block_io(directory: &Path, limits: &LinuxBlockIo) -> Result<()> {
    // Which of the two there is depends on the kernel's scheduler.
    let weight = |plain: &'static str, bfq: &'static str| {
        if directory.join(bfq).exists() { bfq } else { plain }
    };
    set_some(directory, weight("blkio.weight", "blkio.bfq.weight"), limits.weight())?;
    set_some(directory, "blkio.leaf_weight", limits.leaf_weight())?;
    for device in limits.weight_device().iter().flatten() {
        let line = |weight: Option<u16>| {
            weight.map(|weight| format!("{}:{} {weight}", device.major(), device.minor()))
        };
        set_some(directory, weight("blkio.weight_device", "blkio.bfq.weight_device"), line(device.weight()))?;
        set_some(directory, "blkio.leaf_weight_device", line(device.leaf_weight()))?;
    }
    for (file, devices) in [
        ("blkio.throttle.read_bps_device", limits.throttle_read_bps_device()),
        ("blkio.throttle.write_bps_device", limits.throttle_write_bps_device()),
        ("blkio.throttle.read_iops_device", limits.throttle_read_iops_device()),
        ("blkio.throttle.write_iops_device", limits.throttle_write_iops_device()),
    ] {
        for device in devices.iter().flatten() {
            set(directory, file, format!("{}:{} {}", device.major(), device.minor(), device.rate()))?;
        }
    }
    Ok(())
}

fn network(group: &Cgroup, limits: &LinuxNetwork) -> Result<()> {
    if let Some(class) = limits.class_id() {
        let directory =
            group.of(Controller::NetClass).ok_or(Error::NoController { controller: "net_cls" })?;
        set(directory, "net_cls.classid", class)?;
    }
    for priority in limits.priorities().iter().flatten() {
        let directory =
            group.of(Controller::NetPriority).ok_or(Error::NoController { controller: "net_prio" })?;
        set(directory, "net_prio.ifpriomap", format!("{} {}", priority.name(), priority.priority()))?;
    }
    Ok(())
}
