//! Refusing what cannot be, before anything is made.

use crate::Services;
use cgroups::Controller;
use errors::{Class, Error, Result};
use spec::{ContainerSpec, IpcMode, JoinMode, MountKind, NetworkMode, Resources, RestartPolicy};
use std::collections::BTreeSet;

/// Smallest memory limit that a container can start in.
const LEAST_MEMORY: i64 = 6 << 20;

/// Checks a container's wishes, drops what this host can't limit, and answers warnings about that.
///
/// # Errors
/// `Invalid` with docker's words where it has some.
pub(super) fn validate(services: &Services, spec: &mut ContainerSpec) -> Result<Vec<String>> {
    if spec.process.args().is_empty() {
        return Err(invalid("no command specified").hint("Name one after the image, or set an entry point"));
    }
    if !spec.process.working_dir.is_empty() && !spec.process.working_dir.starts_with('/') {
        return Err(invalid(format!(
            "the working directory '{}' is invalid, it needs to be an absolute path",
            spec.process.working_dir
        )));
    }
    for pair in &spec.process.env {
        if pair.is_empty() || pair.starts_with('=') {
            return Err(invalid(format!("invalid environment variable: {pair}")));
        }
    }
    if let Some(signal) = &spec.process.stop_signal {
        super::kill::signal_number(signal)?;
    }
    if let Some(score) = spec.process.oom_score_adj.filter(|score| !(-1000..=1000).contains(score)) {
        return Err(invalid(format!("Invalid value {score}, range for oom score adj is [-1000, 1000]")));
    }
    if spec.auto_remove && spec.restart != RestartPolicy::No {
        return Err(invalid("can't create 'AutoRemove' container with restart policy"));
    }
    hostname(spec)?;
    namespaces(spec)?;
    super::user_namespace::validate(services, spec)?;
    network(services, spec)?;
    mounts(spec)?;
    sysctls(spec)?;
    if let Some(parent) = &spec.cgroup_parent {
        crate::system::check_cgroup_parent(parent, services.cgroup_driver)?;
    }
    apparmor(services, spec)?;
    runtime::bundle::check_rlimits(&spec.process.rlimits)?;
    services.runtimes.check(spec.runtime.as_deref())?;
    let default = &services.settings.logging;
    if spec.log.driver.is_empty() {
        spec.log.driver.clone_from(&default.driver);
    }
    if spec.log.driver == default.driver {
        for (name, value) in &default.options {
            spec.log.options.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    logs::validate(&spec.log.driver, &spec.log.options)?;
    if services.settings.runtime.no_new_privileges {
        spec.security.no_new_privileges = true;
    }
    if let Some(option) = spec.filesystem.storage_options.keys().next() {
        return Err(Error::new(
            Class::Unsupported,
            format!("storage option {option}: this host's file system has no project quota"),
        ));
    }
    let mut warnings = resources(services, &mut spec.resources)?;
    let profile = spec.security.apparmor.as_deref().filter(|profile| *profile != "unconfined");
    if let Some(profile) = profile.filter(|_| !services.host.apparmor) {
        warnings.push(format!("Your kernel does not support AppArmor. Profile {profile} discarded."));
    }
    if matches!(spec.network.mode, NetworkMode::Host) && !spec.network.published.is_empty() {
        warnings.push("Published ports are discarded when using host network mode".into());
    }
    Ok(warnings)
}

/// A profile that a container asks for by name has to be there: without it would run less confined than it relies on.
fn apparmor(services: &Services, spec: &ContainerSpec) -> Result<()> {
    let Some(profile) = super::profile(services, &spec.security) else { return Ok(()) };
    if spec.security.apparmor.is_none() || apparmor::is_loaded(&profile) {
        return Ok(());
    }
    let why = format!("AppArmor profile {profile} is not loaded");
    Err(Error::new(Class::Invalid, why).hint("Load it with `apparmor_parser --replace FILE`"))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Class::Invalid, message)
}

fn hostname(spec: &ContainerSpec) -> Result<()> {
    // The kernel's limit, and what would break the lines of `/etc/hosts`. Docker asks for no more: names with
    // underscores, which DNS does not know, are common.
    let good = |name: &str| name.len() <= 64 && name.bytes().all(|byte| byte.is_ascii_graphic());
    if !good(&spec.hostname) {
        return Err(invalid(format!("invalid hostname format: {}", spec.hostname)));
    }
    Ok(())
}

fn namespaces(spec: &ContainerSpec) -> Result<()> {
    let conflict = |what: &str| Err(invalid(format!("conflicting options: {what}")));
    let joined = matches!(spec.network.mode, NetworkMode::Container(_));
    if joined && !spec.hostname.is_empty() {
        return conflict("hostname and the network mode");
    }
    if spec.namespaces.uts == JoinMode::Host && !spec.hostname.is_empty() {
        return conflict("hostname and the UTS mode");
    }
    if joined && (!spec.network.published.is_empty() || spec.network.publish_all) {
        return conflict("port publishing and the container type network mode");
    }
    if joined && !spec.network.exposed.is_empty() && spec.network.links.iter().any(|_| true) {
        return conflict("container type network can't be used with links");
    }
    if joined && spec.network.dns != spec::Dns::default() {
        return conflict("dns and the network mode");
    }
    if joined && !spec.network.extra_hosts.is_empty() {
        return conflict("custom host-to-IP mapping and the network mode");
    }
    if matches!(spec.network.mode, NetworkMode::Host) && !spec.network.links.is_empty() {
        return conflict("host type networking can't be used with links");
    }
    if matches!(spec.namespaces.ipc, IpcMode::Host | IpcMode::Container(_))
        && spec.filesystem.shm_size.is_some()
    {
        return conflict("the size of /dev/shm and a shared IPC mode");
    }
    if spec.filesystem.shm_size.is_some_and(|size| size < 0) {
        return Err(invalid("SHM size can not be less than 0"));
    }
    Ok(())
}

fn network(services: &Services, spec: &ContainerSpec) -> Result<()> {
    if !spec.network.links.is_empty() {
        return Err(Error::new(Class::Unsupported, "legacy links are not supported").hint("Use a network"));
    }
    let published = !spec.network.published.is_empty() || spec.network.publish_all;
    let bridged = matches!(spec.network.mode, NetworkMode::Default | NetworkMode::Named(_));
    if published && bridged {
        return Err(Error::new(Class::Unsupported, "publishing ports is not supported yet")
            .hint("Use --network host, or reach the container by its address"));
    }
    // A network or container that does not exist is told at once, not at the start.
    services.networks.resolve(&spec.network.mode).map_err(|error| not_the_image(error.into()))?;
    if let NetworkMode::Container(other) = &spec.network.mode {
        services
            .containers
            .find(other)
            .map_err(|error| not_the_image(error.into()).context("joining network namespace of container"))?;
    }
    if spec.network.endpoints.len() > 1 {
        return Err(Error::new(
            Class::Unsupported,
            "several networks for one container are not supported yet",
        ));
    }
    Ok(())
}

/// Something that a new container names is missing. Not as `NotFound`: clients would take that for the image's.
pub(super) fn not_the_image(error: Error) -> Error {
    if error.class() == Class::NotFound { error.with_class(Class::Invalid) } else { error }
}

fn mounts(spec: &ContainerSpec) -> Result<()> {
    let mut targets = BTreeSet::new();
    for mount in &spec.filesystem.mounts {
        let target = mount.target.trim_end_matches('/');
        if !mount.target.starts_with('/') {
            return Err(invalid(format!(
                "invalid mount config: mount path must be absolute: '{}'",
                mount.target
            )));
        }
        if target.is_empty() {
            return Err(invalid("invalid specification: destination can't be '/'"));
        }
        if !targets.insert(target.to_owned()) {
            return Err(invalid(format!("Duplicate mount point: {}", mount.target)));
        }
        if let MountKind::Tmpfs(tmpfs) = &mount.kind {
            runtime::bundle::tmpfs_mount(&mount.target, tmpfs, mount.read_only)?;
        }
        if let MountKind::Bind(bind) = &mount.kind
            && !bind.source.starts_with('/')
        {
            return Err(invalid(format!(
                "invalid mount config for type \"bind\": invalid mount path: '{}' mount path must be absolute",
                bind.source
            )));
        }
    }
    Ok(())
}

fn sysctls(spec: &ContainerSpec) -> Result<()> {
    for name in spec.security.sysctls.keys() {
        let host_network = spec.network.mode == NetworkMode::Host;
        let host_ipc = spec.namespaces.ipc == IpcMode::Host;
        let ipc = [
            "kernel.msgmax",
            "kernel.msgmnb",
            "kernel.msgmni",
            "kernel.sem",
            "kernel.shmall",
            "kernel.shmmax",
            "kernel.shmmni",
            "kernel.shm_rmid_forced",
        ];
        let is_ipc = ipc.contains(&name.as_str()) || name.starts_with("fs.mqueue.");
        let is_net = name.starts_with("net.");
        if (is_net && host_network) || (is_ipc && host_ipc) {
            return Err(invalid(format!("sysctl '{name}' is not allowed in the host's namespace")));
        }
        if !is_net && !is_ipc {
            return Err(invalid(format!("sysctl '{name}' is not whitelisted"))
                .hint("Only net.*, fs.mqueue.* and the IPC parameters belong to a container's namespaces"));
        }
    }
    Ok(())
}

/// Checks limits; those that this host has no controller for are dropped, with a warning each.
pub(super) fn resources(services: &Services, limits: &mut Resources) -> Result<Vec<String>> {
    memory(limits)?;
    processors(services, limits)?;
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
        v2 || file(Controller::Memory, "memory.memsw.limit_in_bytes"),
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

fn memory(limits: &mut Resources) -> Result<()> {
    let memory = limits.memory.filter(|&limit| limit != 0);
    if memory.is_some_and(|limit| limit > 0 && limit < LEAST_MEMORY) {
        return Err(invalid("Minimum memory limit allowed is 6MB"));
    }
    let swap = limits.memory_swap.filter(|&limit| limit != 0);
    match (memory, swap) {
        (None, Some(swap)) if swap > 0 => {
            return Err(invalid(
                "You should always set the Memory limit when using Memoryswap limit, see usage",
            ));
        }
        (Some(memory), Some(swap)) if swap > 0 && swap < memory => {
            return Err(invalid("Minimum memoryswap limit should be larger than memory limit, see usage"));
        }
        // As docker does: without a word about swap, as much swap as memory.
        (Some(memory), None) if memory > 0 => limits.memory_swap = Some(memory.saturating_mul(2)),
        _ => {}
    }
    if let (Some(memory), Some(reservation)) = (memory, limits.memory_reservation)
        && reservation > memory
    {
        return Err(invalid("Minimum memory limit can not be less than memory reservation limit, see usage"));
    }
    if limits.memory_swappiness.is_some_and(|value| value != -1 && !(0..=100).contains(&value)) {
        return Err(invalid("Invalid value for swappiness, valid range is 0-100"));
    }
    limits.memory_swappiness = limits.memory_swappiness.filter(|&value| value != -1);
    Ok(())
}

fn processors(services: &Services, limits: &Resources) -> Result<()> {
    if let Some(nano) = limits.nano_cpus.filter(|&nano| nano != 0) {
        for (set, option) in [(limits.cpu_period, "Period"), (limits.cpu_quota, "Quota")] {
            if set.is_some_and(|value| value > 0) {
                return Err(invalid(format!(
                    "Conflicting options: Nano CPUs and CPU {option} cannot both be set"
                )));
            }
        }
        let most = i64::try_from(services.host.cpus).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
        if nano < 0 || nano > most {
            return Err(invalid(format!(
                "range of CPUs is from 0.01 to {}.00, as there are only {0} CPUs available",
                services.host.cpus
            )));
        }
    }
    for (refused, what, limit) in [(1..2, "minimum", 2), (262_145..i64::MAX, "maximum", 262_144)] {
        if limits.cpu_shares.is_some_and(|shares| refused.contains(&shares)) {
            return Err(invalid(format!("the {what} allowed cpu-shares is {limit}")));
        }
    }
    if limits.cpu_period.is_some_and(|period| period != 0 && !(1000..=1_000_000).contains(&period)) {
        return Err(invalid(
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
        ));
    }
    if limits.cpu_quota.is_some_and(|quota| quota > 0 && quota < 1000) {
        return Err(invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)"));
    }
    for (set, file, kind, option) in [
        (&limits.cpuset_cpus, "/sys/devices/system/cpu/online", "cpus", "CPUs"),
        (&limits.cpuset_mems, "/sys/devices/system/node/online", "mems", "memory nodes"),
    ] {
        let Some(wanted) = set.as_deref().filter(|text| !text.is_empty()) else { continue };
        let available = std::fs::read_to_string(file).unwrap_or_default();
        let bad = || invalid(format!("Invalid value {wanted} for cpuset {kind}: invalid format: {wanted}"));
        let wanted_set = id_set(wanted).ok_or_else(bad)?;
        if let Some(available_set) = id_set(available.trim())
            && !wanted_set.is_subset(&available_set)
        {
            return Err(invalid(format!(
                "Requested {option} are not available - requested {wanted}, available: {}",
                available.trim()
            )));
        }
    }
    Ok(())
}

/// `0-2,4` as a set.
fn id_set(text: &str) -> Option<BTreeSet<u32>> {
    let mut set = BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse::<u32>().ok()?, last.trim().parse::<u32>().ok()?);
        if first > last || last > 8192 {
            return None;
        }
        set.extend(first..=last);
    }
    Some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_follows_memory_unless_told_otherwise() {
        let mut limits = Resources { memory: Some(64 << 20), ..Resources::default() };
        memory(&mut limits).unwrap();
        assert_eq!(limits.memory_swap, Some(128 << 20));
        let mut limits =
            Resources { memory: Some(64 << 20), memory_swap: Some(1 << 20), ..Resources::default() };
        assert!(memory(&mut limits).is_err());
        let mut limits = Resources { memory: Some(1 << 20), ..Resources::default() };
        assert_eq!(memory(&mut limits).unwrap_err().to_string(), "Minimum memory limit allowed is 6MB");
    }

    #[test]
    fn cpu_sets_are_lists_of_ranges() {
        assert_eq!(id_set("0-2,4"), Some(BTreeSet::from([0, 1, 2, 4])));
        assert_eq!(id_set("2-0"), None);
        assert_eq!(id_set("a"), None);
        assert_eq!(id_set("0-99999999"), None);
    }
}
