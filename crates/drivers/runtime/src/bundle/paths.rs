//! What of `/proc` and `/sys` a container may not see or not change.

use super::host::thermal_throttle_paths;

/// Paths hidden by default: Docker 28.5's list, with those of this host's processors. With privileges, none.
pub fn default_masked(privileged: bool) -> Option<Vec<String>> {
    const MASKED: [&str; 12] = [
        "/proc/asound",
        "/proc/acpi",
        "/proc/interrupts",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/sys/firmware",
        "/sys/devices/virtual/powercap",
    ];
    (!privileged).then(|| {
        MASKED.into_iter().map(str::to_owned).chain(thermal_throttle_paths().iter().cloned()).collect()
    })
}

/// Paths read-only by default: Docker 28.5's list. With privileges, none.
pub fn default_readonly(privileged: bool) -> Option<Vec<String>> {
    const READONLY: [&str; 5] = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"];
    (!privileged).then(|| READONLY.into_iter().map(str::to_owned).collect())
}
