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
    let v2 = services.cgroups.mode().version() == 2;
    let has = |controller| services.cgroups.has(controller);
    let file = |controller, name| services.cgroups.has_file(controller, name);
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
        memory_limit: has(Controller::Memory),
        swap_limit: file(
            Controller::Memory,
            if v2 { "memory.swap.max" } else { "memory.memsw.limit_in_bytes" },
        ),
        cpu_cfs: has(Controller::Cpu) && (v2 || file(Controller::Cpu, "cpu.cfs_quota_us")),
        cpu_shares: has(Controller::Cpu),
        cpu_set: has(Controller::CpuSet),
        pids_limit: has(Controller::Pids),
        oom_kill_disable: !v2 && has(Controller::Memory),
        ipv4_forwarding: std::fs::read_to_string("/proc/sys/net/ipv4/ip_forward")
            .is_ok_and(|text| text.trim() == "1"),
        backing_filesystem: backing_filesystem(services),
        warnings: services.networks.warnings(),
    };
    for (able, what) in [
        (info.memory_limit, "memory limit"),
        (info.swap_limit, "swap limit"),
        (info.cpu_cfs, "cpu cfs quota"),
        (info.cpu_set, "cpuset"),
        (info.pids_limit, "pids limit"),
    ] {
        if !able {
            info.warnings.push(format!("WARNING: No {what} support"));
        }
    }
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

fn backing_filesystem(services: &Services) -> String {
    let Ok(stat) = rustix::fs::statfs(services.settings().storage_root()) else { return "unknown".into() };
    match stat.f_type {
        0xEF53 => "extfs",
        0x5846_5342 => "xfs",
        0x9123_683E => "btrfs",
        0x0102_1994 => "tmpfs",
        0x794c_7630 => "overlayfs",
        0x2FC1_2FC1 => "zfs",
        _ => "unknown",
    }
    .to_owned()
}
