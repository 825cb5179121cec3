//! Where a container's cgroup is, for both ways of making cgroups.

use std::path::PathBuf;

/// Who makes cgroups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Driver {
    /// Directories made directly.
    #[default]
    Cgroupfs,
    /// Scopes made by systemd.
    Systemd,
}

/// The `linux.cgroupsPath` of container `id`: `/parent/id`, or `parent.slice:prefix:id` for systemd.
/// `parent` none: `/<prefix>`, or `system.slice`.
pub fn container_path(driver: Driver, parent: Option<&str>, prefix: &str, id: &str) -> PathBuf {
    let _ = (driver, parent, prefix, id);
    todo!()
}

/// The path below a hierarchy's root that a `linux.cgroupsPath` stands for: `a-b.slice:p:id` is
/// `a.slice/a-b.slice/p-id.scope`, a plain path is itself. Never absolute, and without `.` and `..`.
pub fn relative_path(cgroups_path: &str) -> PathBuf {
    let _ = cgroups_path;
    todo!()
}
