//! Constants of this process and this host that every document depends on, read once.

use super::capabilities::from_number;
use oci_spec::runtime::Capability;
use std::collections::HashSet;
use std::path::Path;
use std::sync::OnceLock;

/// The capabilities that this process can give away: its bounding set. What `ALL` and `--privileged` mean.
pub fn available_capabilities() -> &'static HashSet<Capability> {
    static AVAILABLE: OnceLock<HashSet<Capability>> = OnceLock::new();
    AVAILABLE.get_or_init(|| capability_set("CapBnd:"))
}

/// Whether this process may raise hard limits and lower OOM scores.
pub(super) fn may_raise_limits() -> bool {
    static MAY: OnceLock<bool> = OnceLock::new();
    *MAY.get_or_init(|| capability_set("CapEff:").contains(&Capability::SysResource))
}

/// This process's own score for the OOM killer.
pub(super) fn own_oom_score_adj() -> i32 {
    static OWN: OnceLock<i32> = OnceLock::new();
    *OWN.get_or_init(|| {
        std::fs::read_to_string("/proc/self/oom_score_adj")
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0)
    })
}

/// Whether the kernel has a parameter: runtimes refuse containers that set one it lacks.
pub(super) fn has_sysctl(name: &str) -> bool {
    Path::new("/proc/sys").join(name.replace('.', "/")).exists()
}

/// `/sys/devices/system/cpu/cpuN/thermal_throttle` of all processors that have one.
pub(super) fn thermal_throttle_paths() -> &'static [String] {
    static PATHS: OnceLock<Vec<String>> = OnceLock::new();
    PATHS.get_or_init(|| {
        let possible = std::fs::read_to_string("/sys/devices/system/cpu/possible").unwrap_or_default();
        let last = possible.trim().rsplit(['-', ',']).next().and_then(|text| text.parse::<u32>().ok());
        (0..=last.unwrap_or(0))
            .map(|cpu| format!("/sys/devices/system/cpu/cpu{cpu}/thermal_throttle"))
            .filter(|path| Path::new(path).exists())
            .collect()
    })
}

/// A line of `/proc/self/status` as a set; empty if it can't be read.
fn capability_set(line: &str) -> HashSet<Capability> {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let bits = status
        .lines()
        .find_map(|text| text.strip_prefix(line))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        .unwrap_or(0);
    (0..64).filter(|bit| bits >> bit & 1 == 1).filter_map(from_number).collect()
}
