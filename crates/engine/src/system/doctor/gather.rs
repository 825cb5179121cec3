//! Looks up how the host is.

use super::{Examination, probes};
use crate::Host;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// All that is looked at; what is to be said follows from this alone.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) root_user: bool,
    pub(super) host: Host,
    pub(super) shim: Result<PathBuf, String>,
    /// `1` or `2`, and the limits that don't work; or why there are no cgroups.
    pub(super) cgroups: Result<(u8, Vec<&'static str>), String>,
    pub(super) systemd: bool,
    pub(super) place: Place,
    /// Why no bridge and no pair of devices can be made.
    pub(super) devices: Option<String>,
    /// Why the kernel has no packet filter.
    pub(super) nf_tables: Option<String>,
    /// What `nft` calls itself, or why it can't be run.
    pub(super) nft: Result<String, String>,
    /// Chains of others that drop what is forwarded.
    pub(super) shut: Vec<String>,
    pub(super) forwarding: Option<String>,
    pub(super) bridged_to_iptables: bool,
    /// What is missed of IPv6.
    pub(super) ipv6: Option<String>,
    pub(super) user_namespaces: Option<u64>,
    /// Limits: parameter, its value, the least that is enough, what suffers else.
    pub(super) limits: Vec<Limit>,
    pub(super) files: u64,
    /// Seconds since 1970, and of the engine's own program.
    pub(super) clock: (i64, i64),
    /// Sockets of other engines.
    pub(super) others: Vec<&'static str>,
}

/// A number of the kernel's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Limit {
    pub(super) parameter: &'static str,
    pub(super) value: Option<u64>,
    pub(super) least: u64,
    pub(super) suffers: &'static str,
}

/// The file system of the root directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The directory itself, or what there is of the way to it.
    pub(super) directory: PathBuf,
    pub(super) kind: &'static str,
    /// Why no overlay can be made there.
    pub(super) overlay: Option<String>,
    /// Bytes and files, in percent that are free; none where the file system does not count them.
    pub(super) free_bytes: u64,
    pub(super) free_percent: Option<u64>,
    pub(super) free_files: Option<u64>,
}

const LIMITS: [(&str, u64, &str); 6] = [
    ("fs/inotify/max_user_instances", 128, "programs that watch files fail in many containers"),
    ("fs/inotify/max_user_watches", 8192, "programs that watch many files fail"),
    ("kernel/pid_max", 32_768, "processes can't be started once there are many"),
    ("vm/max_map_count", 65_530, "databases and search engines refuse to start"),
    ("kernel/keys/root_maxkeys", 1000, "containers can't be started once there are many"),
    ("fs/file-max", 100_000, "files can't be opened once there are many containers"),
];

const OTHERS: [&str; 5] = [
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/run/podman/podman.sock",
    "/run/crio/crio.sock",
    "/run/balena-engine.sock",
];

pub(super) fn gather(examination: &Examination) -> Facts {
    let host = Host::detect(examination.shim.clone().unwrap_or_default());
    let cgroups = cgroups::Host::detect();
    let cgroups = cgroups.map(|host| (host.mode().version(), super::super::info::missing_limits(&host)));
    let limit = |(parameter, least, suffers): (&'static str, u64, &'static str)| Limit {
        parameter,
        value: number(parameter),
        least,
        suffers,
    };
    Facts {
        root_user: rustix::process::geteuid().is_root(),
        shim: examination.shim.clone(),
        cgroups: cgroups.map_err(|error| errors::chain(&error)),
        systemd: Path::new("/run/systemd/system").exists(),
        place: place(&examination.root),
        devices: probes::devices(),
        nf_tables: net::firewall::is_there("container-runtime").err().map(|error| errors::chain(&error)),
        nft: net::firewall::version().map_err(|error| errors::chain(&error)),
        shut: net::firewall::shut().unwrap_or_default(),
        forwarding: read("net/ipv4/ip_forward"),
        bridged_to_iptables: read("net/bridge/bridge-nf-call-iptables").as_deref() == Some("1"),
        ipv6: networks::ipv6_missed(),
        user_namespaces: number("user/max_user_namespaces"),
        limits: LIMITS.map(limit).into(),
        files: rustix::process::getrlimit(rustix::process::Resource::Nofile).maximum.unwrap_or(u64::MAX),
        clock: clock(),
        others: OTHERS.into_iter().filter(|socket| Path::new(socket).exists()).collect(),
        host,
    }
}

fn read(parameter: &str) -> Option<String> {
    let text = std::fs::read_to_string(Path::new("/proc/sys").join(parameter)).ok()?;
    Some(text.trim().to_owned())
}

fn number(parameter: &str) -> Option<u64> {
    read(parameter)?.parse().ok()
}

fn place(root: &Path) -> Place {
    let directory =
        root.ancestors().find(|directory| directory.is_dir()).unwrap_or_else(|| Path::new("/")).to_owned();
    let Ok(stat) = rustix::fs::statvfs(&directory) else { return Place { directory, ..Place::default() } };
    let percent = |free: u64, all: u64| (free * 100).checked_div(all);
    Place {
        kind: super::super::info::file_system(&directory),
        overlay: probes::overlay(&directory),
        free_bytes: stat.f_bavail * stat.f_frsize,
        free_percent: percent(stat.f_bavail, stat.f_blocks),
        free_files: percent(stat.f_favail, stat.f_files),
        directory,
    }
}

fn clock() -> (i64, i64) {
    let seconds = |time: SystemTime| {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    };
    let program = std::env::current_exe().and_then(std::fs::metadata).and_then(|found| found.modified());
    (crate::now() / 1_000_000_000, program.map_or(0, seconds))
}
