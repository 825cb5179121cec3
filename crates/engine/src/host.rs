//! What this host is and can do, looked up once.

use std::path::{Path, PathBuf};

/// Facts about the host that verbs need.
#[derive(Debug, Clone, Default)]
pub struct Host {
    /// Kernel version: major, minor.
    pub kernel: (u32, u32),
    /// As `uname -r` prints it.
    pub kernel_release: String,
    /// As `uname -m` prints it.
    pub machine: String,
    /// Host name.
    pub name: String,
    /// `PRETTY_NAME` of os-release.
    pub os: String,
    /// `VERSION_ID` of os-release.
    pub os_version: String,
    /// Processors that this process may use.
    pub cpus: usize,
    /// Bytes.
    pub memory: u64,
    /// Whether the kernel filters system calls.
    pub seccomp: bool,
    /// Whether the kernel has AppArmor, switched on.
    pub apparmor: bool,
    /// Whether SELinux is on.
    pub selinux: bool,
    /// Our shim's binary.
    pub shim: PathBuf,
}

impl Host {
    /// Looks everything up. What can't be read is left empty.
    pub fn detect(shim: PathBuf) -> Self {
        let uname = rustix::system::uname();
        let text = |value: &std::ffi::CStr| value.to_string_lossy().into_owned();
        let release = text(uname.release());
        let os_release = read("/etc/os-release").or_else(|| read("/usr/lib/os-release")).unwrap_or_default();
        Self {
            kernel: version(&release),
            kernel_release: release,
            machine: text(uname.machine()),
            name: text(uname.nodename()),
            os: os_field(&os_release, "PRETTY_NAME").unwrap_or_else(|| "Linux".into()),
            os_version: os_field(&os_release, "VERSION_ID").unwrap_or_default(),
            cpus: std::thread::available_parallelism().map_or(1, usize::from),
            memory: read("/proc/meminfo").and_then(|text| total_memory(&text)).unwrap_or(0),
            seccomp: Path::new("/proc/sys/kernel/seccomp/actions_avail").exists(),
            apparmor: read("/sys/module/apparmor/parameters/enabled")
                .is_some_and(|text| text.starts_with('Y')),
            selinux: Path::new("/sys/fs/selinux/enforce").exists(),
            shim,
        }
    }
}

fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok()
}

fn version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

fn os_field(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let value = line.strip_prefix(name)?.strip_prefix('=')?;
        Some(value.trim_matches('"').to_owned())
    })
}

fn total_memory(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_releases_and_os_names_are_parsed() {
        assert_eq!(version("6.18.44-custom"), (6, 18));
        assert_eq!(version("5.4"), (5, 4));
        assert_eq!(os_field("A=1\nPRETTY_NAME=\"Debian 12\"\n", "PRETTY_NAME").as_deref(), Some("Debian 12"));
        assert_eq!(total_memory("MemTotal:       100 kB\n"), Some(102_400));
    }
}
