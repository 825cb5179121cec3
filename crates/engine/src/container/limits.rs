//! Limits that a client asks for: refused where they contradict each other, dropped where this host has no controller.

mod memory;
mod processors;

use super::invalid;
use crate::Services;
use cgroups::Controller;
use errors::Result;
use spec::Resources;

/// Checks limits; those that this host has no controller for are dropped, with a warning each.
pub(super) fn check(services: &Services, limits: &mut Resources) -> Result<Vec<String>> {
    memory::check(limits)?;
    processors::check(services.host.cpus, limits)?;
    if limits.pids_limit.is_some_and(|limit| limit < -1) {
        return Err(invalid("pids limit can't be less than -1"));
    }
    let mut warnings = Vec::new();
    let has = |controller| services.cgroups.has(controller);
    let file = |controller, name| services.cgroups.has_file(controller, name);
    macro_rules! unless {
        ($able:expr, $what:literal, $($field:ident),+) => {
            if !$able && ($(limits.$field.is_some())||+) {
                $(limits.$field = None;)+
                warnings.push(concat!("Your kernel does not support ", $what, " discarded.").to_owned());
            }
        };
    }
    let v2 = services.cgroups.mode().version() == 2;
    unless!(
        has(Controller::Memory),
        "memory limit capabilities or the cgroup is not mounted. Limitation",
        memory,
        memory_reservation,
        memory_swap
    );
    unless!(
        file(Controller::Memory, if v2 { "memory.swap.max" } else { "memory.memsw.limit_in_bytes" }),
        "swap limit capabilities or the cgroup is not mounted. Memory limited without swap. Swap limit",
        memory_swap
    );
    unless!(
        !v2 && file(Controller::Memory, "memory.swappiness"),
        "memory swappiness capabilities, or the cgroup is not mounted. Memory swappiness",
        memory_swappiness
    );
    // Clients send `false` by themselves.
    limits.oom_kill_disable = limits.oom_kill_disable.filter(|disable| *disable);
    unless!(!v2, "OomKillDisable. OomKillDisable", oom_kill_disable);
    if limits.oom_kill_disable == Some(true) && limits.memory.is_none_or(|limit| limit == 0) {
        warnings.push(
            "OOM killer is disabled for the container, but no memory limit is set, this can result in the system \
             running out of resources."
                .to_owned(),
        );
    }
    unless!(has(Controller::Cpu), "CPU limits. Limitation", cpu_shares, cpu_period, cpu_quota, nano_cpus);
    unless!(
        !v2 && file(Controller::Cpu, "cpu.rt_runtime_us"),
        "CPU real-time scheduling. Limitation",
        cpu_realtime_period,
        cpu_realtime_runtime
    );
    unless!(has(Controller::CpuSet), "cpuset or the cgroup is not mounted. CPUset", cpuset_cpus, cpuset_mems);
    unless!(
        has(Controller::Pids),
        "PIDs limit capabilities or the cgroup is not mounted. PIDs limit",
        pids_limit
    );
    let names = if v2 { ["io.weight", "io.bfq.weight"] } else { ["blkio.weight", "blkio.bfq.weight"] };
    let weight = names.iter().any(|name| file(Controller::BlockIo, *name));
    unless!(weight, "Block I/O weight or the cgroup is not mounted. Weight", blkio_weight);
    if limits.blkio_weight.is_some_and(|weight| weight != 0 && !(10..=1000).contains(&weight)) {
        return Err(invalid("Range of blkio weight is from 10 to 1000"));
    }
    Ok(warnings)
}
