//! A container's view of cgroup v1: a tmpfs with a bind of its own cgroup of each controller in it, read-only where the
//! document says so, as runc makes it.

use super::derive::{Object, field, put};
use crate::error::Result;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Controllers whose cgroup libcontainer makes for every container.
const CONTROLLERS: [&str; 11] = [
    "blkio",
    "cpu",
    "cpuacct",
    "cpuset",
    "devices",
    "freezer",
    "memory",
    "net_cls",
    "net_prio",
    "perf_event",
    "pids",
];

/// Replaces the mounts of type `cgroup` where the host's controllers are on v1.
pub(super) fn replace(path: &Path, config: &mut Object) -> Result<()> {
    let hierarchies = hierarchies(&std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default());
    if hierarchies.is_empty() {
        return Ok(());
    }
    let mut linux: Object = field(path, config, "linux")?.unwrap_or_default();
    let Some(cgroup) = field::<PathBuf>(path, &linux, "cgroupsPath")? else { return Ok(()) };
    let mounts: Vec<Value> = field(path, config, "mounts")?.unwrap_or_default();
    let (ours, mut mounts): (Vec<Value>, Vec<Value>) =
        mounts.into_iter().partition(|mount| mount["type"] == "cgroup");
    if ours.is_empty() {
        return Ok(());
    }
    let mut readonly: Vec<String> = field(path, &linux, "readonlyPaths")?.unwrap_or_default();
    for mount in ours {
        let Some(target) = mount["destination"].as_str() else { continue };
        let is_readonly = mount["options"].as_array().is_some_and(|options| options.contains(&json!("ro")));
        mounts.extend(expanded(target, &cgroup, &hierarchies, is_readonly));
        if is_readonly {
            readonly.push(target.to_owned());
        }
    }
    put(path, config, "mounts", &mounts)?;
    put(path, &mut linux, "readonlyPaths", &readonly)?;
    put(path, config, "linux", &linux)
}

fn expanded(target: &str, cgroup: &Path, hierarchies: &[Hierarchy], is_readonly: bool) -> Vec<Value> {
    let tmpfs = json!({
        "destination": target, "type": "tmpfs", "source": "tmpfs",
        "options": ["nosuid", "noexec", "nodev", "relatime", "mode=755"],
    });
    let inside = cgroup.strip_prefix("/").unwrap_or(cgroup);
    let binds = hierarchies.iter().flat_map(|hierarchy| {
        let source = hierarchy.mount_point.join(inside);
        hierarchy.controllers.iter().map(move |controller| {
            let mut options = vec!["bind", "nosuid", "noexec", "nodev", "relatime"];
            options.extend(is_readonly.then_some("ro"));
            json!({
                "destination": format!("{target}/{controller}"), "type": "bind", "source": source, "options": options,
            })
        })
    });
    std::iter::once(tmpfs).chain(binds).collect()
}

/// A mounted hierarchy and the controllers on it.
#[derive(Debug, PartialEq, Eq)]
struct Hierarchy {
    mount_point: PathBuf,
    controllers: Vec<String>,
}

/// From `/proc/self/mountinfo` (`proc(5)`): the controllers stand among the super block's options.
fn hierarchies(mountinfo: &str) -> Vec<Hierarchy> {
    let parse = |line: &str| {
        let (mount, filesystem) = line.split_once(" - ")?;
        let mut filesystem = filesystem.split(' ');
        if filesystem.next()? != "cgroup" {
            return None;
        }
        let mount_point = PathBuf::from(mount.split(' ').nth(4)?);
        let options = filesystem.nth(1)?.split(',');
        let controllers: Vec<String> =
            options.filter(|option| CONTROLLERS.contains(option)).map(str::to_owned).collect();
        (!controllers.is_empty()).then_some(Hierarchy { mount_point, controllers })
    };
    let mut found: Vec<Hierarchy> = Vec::new();
    for hierarchy in mountinfo.lines().filter_map(parse) {
        // The same hierarchy may be mounted in several places.
        if found.iter().all(|other| other.controllers != hierarchy.controllers) {
            found.push(hierarchy);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hierarchies_are_found_with_their_controllers() {
        let text = "30 25 0:26 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n\
                    31 25 0:27 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd\n\
                    32 25 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n\
                    33 25 0:26 / /again rw,relatime - cgroup cgroup rw,cpu,cpuacct\n";
        let found = hierarchies(text);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].controllers, ["cpu", "cpuacct"]);
    }

    #[test]
    fn a_readonly_mount_becomes_readonly_binds_of_the_containers_own_cgroups() {
        let hierarchies = [Hierarchy { mount_point: "/h/memory".into(), controllers: vec!["memory".into()] }];
        let mounts = expanded("/sys/fs/cgroup", Path::new("/engine/id"), &hierarchies, true);
        assert_eq!(mounts[0]["type"], "tmpfs");
        assert_eq!(mounts[1]["source"], "/h/memory/engine/id");
        assert_eq!(mounts[1]["destination"], "/sys/fs/cgroup/memory");
        assert!(mounts[1]["options"].as_array().unwrap().contains(&json!("ro")));
    }
}
