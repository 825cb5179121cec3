//! `info`: the engine and its host.

use crate::Services;
use ::containers::State;
use cgroups::Controller;
use errors::Result;
use std::sync::Arc;

/// The engine and its host, beside what is in [`Services`].
#[derive(Debug, Clone, Default)]
pub struct Info {
    /// All containers.
    pub containers: usize,
    /// Of them running.
    pub running: usize,
    /// Of them frozen.
    pub paused: usize,
    /// The others.
    pub stopped: usize,
    /// Images.
    pub images: usize,
    /// `1` or `2`.
    pub cgroup_version: u8,
    /// `cgroupfs` or `systemd`.
    pub cgroup_driver: &'static str,
    /// Names of the runtimes.
    pub runtimes: Vec<String>,
    /// The runtime of containers that name none.
    pub default_runtime: String,
    /// Whether limits of memory work.
    pub memory_limit: bool,
    /// Whether limits of swap work.
    pub swap_limit: bool,
    /// Whether CPU periods and quotas work.
    pub cpu_cfs: bool,
    /// Whether CPU shares work.
    pub cpu_shares: bool,
    /// Whether CPU sets work.
    pub cpu_set: bool,
    /// Whether limits of processes work.
    pub pids_limit: bool,
    /// Whether the OOM killer can be switched off.
    pub oom_kill_disable: bool,
    /// Whether packets between networks are forwarded.
    pub ipv4_forwarding: bool,
    /// File system below the root directory.
    pub backing_filesystem: String,
    /// What works less well than it should, a sentence each.
    pub warnings: Vec<String>,
}

/// Looks everything up.
///
/// # Errors
/// None at present.
pub async fn info(services: &Arc<Services>) -> Result<Info> {
    let states: Vec<State> = services.containers.all().iter().map(|container| container.state()).collect();
    let count = |test: fn(&State) -> bool| states.iter().filter(|state| test(state)).count();
    let running = count(|state| matches!(state, State::Running { .. }));
    let paused = count(|state| matches!(state, State::Paused { .. }));
    let limits = Limits::of(&services.cgroups);
    let mut info = Info {
        containers: states.len(),
        running,
        paused,
        stopped: states.len() - running - paused,
        images: services.images.count(),
        cgroup_version: services.cgroups.mode().version(),
        cgroup_driver: match services.cgroup_driver {
            cgroups::Driver::Cgroupfs => "cgroupfs",
            cgroups::Driver::Systemd => "systemd",
        },
        runtimes: services.runtimes.names(),
        default_runtime: services.settings().runtime.default_runtime.clone(),
        memory_limit: limits.memory,
        swap_limit: limits.swap,
        cpu_cfs: limits.cpu_cfs,
        cpu_shares: services.cgroups.has(Controller::Cpu),
        cpu_set: limits.cpu_set,
        pids_limit: limits.pids,
        oom_kill_disable: services.cgroups.mode().version() == 1 && limits.memory,
        ipv4_forwarding: std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward")
            .is_ok_and(|text| text.trim() == "1"),
        backing_filesystem: file_system(services.settings().storage_root()).to_owned(),
        warnings: services.networks.warnings(),
    };
    let missing = missing_limits(&services.cgroups).into_iter();
    info.warnings.extend(missing.map(|what| format!("WARNING: No {what} support")));
    let settings = services.settings();
    let serve = &settings.registry.serve;
    if let Some(address) = serve.listen.filter(|address| !address.ip().is_loopback())
        && serve.htpasswd.is_none()
        && serve.mirror_of.is_empty()
    {
        info.warnings
            .push(format!("WARNING: Everybody who reaches the registry on {address} may push and delete"));
    }
    Ok(info)
}

/// Which limits of containers work.
struct Limits {
    memory: bool,
    swap: bool,
    cpu_cfs: bool,
    cpu_set: bool,
    pids: bool,
}

impl Limits {
    fn of(host: &cgroups::Host) -> Self {
        let v2 = host.mode().version() == 2;
        let swap = if v2 { "memory.swap.max" } else { "memory.memsw.limit_in_bytes" };
        Self {
            memory: host.has(Controller::Memory),
            swap: host.has_file(Controller::Memory, swap),
            cpu_cfs: host.has(Controller::Cpu) && (v2 || host.has_file(Controller::Cpu, "cpu.cfs_quota_us")),
            cpu_set: host.has(Controller::CpuSet),
            pids: host.has(Controller::Pids),
        }
    }
}

/// Limits of containers that do not work, in docker's words.
pub(super) fn missing_limits(host: &cgroups::Host) -> Vec<&'static str> {
    let limits = Limits::of(host);
    let all = [
        (limits.memory, "memory limit"),
        (limits.swap, "swap limit"),
        (limits.cpu_cfs, "cpu cfs quota"),
        (limits.cpu_set, "cpuset"),
        (limits.pids, "pids limit"),
    ];
    all.into_iter().filter(|(able, _)| !able).map(|(_, what)| what).collect()
}

/// What file system a directory is on.
pub(super) fn file_system(directory: &std::path::Path) -> &'static str {
    let Ok(stat) = rustix::fs::statfs(directory) else { return "unknown" };
    match stat.f_type {
        0xEF53 => "extfs",
        0x5846_5342 => "xfs",
        0x9123_683E => "btrfs",
        0x0102_1994 => "tmpfs",
        0x794c_7630 => "overlayfs",
        0x2FC1_2FC1 => "zfs",
        _ => "unknown",
    }
}
