//! Where a container's cgroup is, for both ways of making cgroups.

use crate::systemd::Scope;
use std::path::{Component, Path, PathBuf};

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
    match driver {
        Driver::Cgroupfs => Path::new("/").join(parent.unwrap_or(prefix)).join(id),
        Driver::Systemd => format!("{}:{prefix}:{id}", parent.unwrap_or(Scope::DEFAULT_SLICE)).into(),
    }
}

/// The path below a hierarchy's root that a `linux.cgroupsPath` stands for: `a-b.slice:p:id` is
/// `a.slice/a-b.slice/p-id.scope`, a plain path is itself. Never absolute, and without `.` and `..`.
pub fn relative_path(cgroups_path: &str) -> PathBuf {
    let parts: Vec<&str> = cgroups_path.split(':').collect();
    let path = match parts[..] {
        [slice, prefix, name] => expand_slice(slice).join(unit(prefix, name)),
        _ => PathBuf::from(cgroups_path),
    };
    path.components().filter(|part| matches!(part, Component::Normal(_))).collect()
}

/// `systemd.unit(5)`: a slice's name holds the names of all slices above it.
fn expand_slice(slice: &str) -> PathBuf {
    let name = slice.strip_suffix(".slice").unwrap_or(slice);
    if name == "-" {
        return PathBuf::new(); // the root slice is the root
    }
    let ends = name.match_indices('-').map(|(at, _)| at).chain([name.len()]);
    ends.filter(|end| *end > 0).map(|end| format!("{}.slice", &name[..end])).collect()
}

pub(crate) fn unit(prefix: &str, name: &str) -> String {
    match (name.ends_with(".slice"), prefix) {
        (true, _) => name.to_owned(),
        (false, "") => format!("{name}.scope"),
        (false, prefix) => format!("{prefix}-{name}.scope"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_named_for_both_drivers() {
        let path = |driver, parent| container_path(driver, parent, "engine", "1f");
        assert_eq!(path(Driver::Cgroupfs, None), Path::new("/engine/1f"));
        assert_eq!(path(Driver::Cgroupfs, Some("a/b")), Path::new("/a/b/1f"));
        assert_eq!(path(Driver::Cgroupfs, Some("/a/b")), Path::new("/a/b/1f"));
        assert_eq!(path(Driver::Systemd, None), Path::new("system.slice:engine:1f"));
        assert_eq!(path(Driver::Systemd, Some("x.slice")), Path::new("x.slice:engine:1f"));
    }

    #[test]
    fn paths_stay_below_the_root() {
        let cases = [
            ("/engine/1f", "engine/1f"),
            ("/../../etc/./x", "etc/x"),
            ("system.slice:docker:1f", "system.slice/docker-1f.scope"),
            ("a-b-c.slice:docker:1f", "a.slice/a-b.slice/a-b-c.slice/docker-1f.scope"),
            ("-.slice:docker:1f", "docker-1f.scope"),
            ("a.slice::1f", "a.slice/1f.scope"),
            ("a.slice:x:b.slice", "a.slice/b.slice"),
        ];
        for (path, expected) in cases {
            assert_eq!(relative_path(path), Path::new(expected), "{path}");
        }
    }
}
