//! A container's view of cgroup v1: a tmpfs with a bind of its own cgroup of each controller in it, read-only where the
//! document says so, as runc makes it.
//!
//! Where the shim has mounts of its own it builds the view there, and the container gets all of it in one bind: each mount
//! that libcontainer makes by itself costs some ninety system calls, and there are a dozen controllers.

use super::derive::{Object, field, put};
use crate::error::{Error, Result};
use cgroups::{Host, Mode};
use rustix::mount::{MountFlags, mount, mount_bind, mount_remount};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Replaces the mounts of type `cgroup` where the host's controllers are on v1. `stage` is a directory that does not exist,
/// in a mount namespace of the shim's own; none: libcontainer does it all.
pub(super) fn replace(path: &Path, config: &mut Object, stage: Option<&Path>) -> Result<()> {
    let mounts: Vec<Value> = field(path, config, "mounts")?.unwrap_or_default();
    let (ours, mut mounts): (Vec<Value>, Vec<Value>) =
        mounts.into_iter().partition(|mount| mount["type"] == "cgroup");
    // A host without cgroups has none to show.
    let Some(host) = Host::detect().ok().filter(|host| host.mode() != Mode::V2 && !ours.is_empty()) else {
        return Ok(());
    };
    let mut linux: Object = field(path, config, "linux")?.unwrap_or_default();
    let Some(cgroup) = field::<PathBuf>(path, &linux, "cgroupsPath")? else { return Ok(()) };
    let mut readonly: Vec<String> = field(path, &linux, "readonlyPaths")?.unwrap_or_default();
    for (number, mount) in ours.iter().enumerate() {
        let Some(target) = mount["destination"].as_str() else { continue };
        let is_readonly = mount["options"].as_array().is_some_and(|options| options.contains(&json!("ro")));
        if let Some(stage) = stage {
            let stage = stage.join(number.to_string());
            build(&stage, &host, &cgroup, is_readonly)?;
            let options = ["rbind", "nosuid", "noexec", "nodev", "relatime"];
            mounts.push(json!({"destination": target, "type": "bind", "source": stage, "options": options}));
        } else {
            mounts.extend(expanded(target, &host, &cgroup, is_readonly));
            if is_readonly {
                readonly.push(target.to_owned());
            }
        }
    }
    put(path, config, "mounts", &mounts)?;
    put(path, &mut linux, "readonlyPaths", &readonly)?;
    put(path, config, "linux", &linux)
}

/// Builds the view on `stage`, of cgroups that are made for it if need be.
fn build(stage: &Path, host: &Host, cgroup: &Path, is_readonly: bool) -> Result<()> {
    let failed = |cause: rustix::io::Errno| Error::file("show cgroups on", stage, cause);
    host.make(&host.cgroup(cgroup)).map_err(super::placed::error)?;
    std::fs::create_dir_all(stage).map_err(|cause| Error::file("make", stage, cause))?;
    let mut flags = MountFlags::NOSUID | MountFlags::NOEXEC | MountFlags::NODEV;
    mount("tmpfs", stage, "tmpfs", flags, Some(c"mode=755")).map_err(failed)?;
    flags.set(MountFlags::RDONLY, is_readonly);
    for (controller, hierarchy) in host.v1_controllers() {
        let place = stage.join(controller.name());
        std::fs::create_dir(&place).map_err(|cause| Error::file("make", &place, cause))?;
        let source = cgroups::relative_path(&cgroup.to_string_lossy());
        mount_bind(hierarchy.join(source), &place)
            .and_then(|()| mount_remount(&place, flags | MountFlags::BIND, c""))
            .map_err(failed)?;
    }
    mount_remount(stage, flags | MountFlags::BIND, c"").map_err(failed)
}

fn expanded(target: &str, host: &Host, cgroup: &Path, is_readonly: bool) -> Vec<Value> {
    let tmpfs = json!({
        "destination": target, "type": "tmpfs", "source": "tmpfs",
        "options": ["nosuid", "noexec", "nodev", "relatime", "mode=755"],
    });
    let inside = cgroups::relative_path(&cgroup.to_string_lossy());
    let binds = host.v1_controllers().map(|(controller, hierarchy)| {
        let mut options = vec!["bind", "nosuid", "noexec", "nodev", "relatime"];
        options.extend(is_readonly.then_some("ro"));
        let place = format!("{target}/{}", controller.name());
        json!({"destination": place, "type": "bind", "source": hierarchy.join(&inside), "options": options})
    });
    std::iter::once(tmpfs).chain(binds).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_readonly_mount_becomes_readonly_binds_of_the_containers_own_cgroups() {
        let Some(host) = Host::detect().ok().filter(|host| host.mode() != Mode::V2) else {
            println!("skipped: this host has no cgroup v1");
            return;
        };
        let mounts = expanded("/sys/fs/cgroup", &host, Path::new("/engine/id"), true);
        assert_eq!(mounts[0]["type"], "tmpfs");
        let memory = mounts.iter().find(|mount| mount["destination"] == "/sys/fs/cgroup/memory").unwrap();
        assert!(memory["source"].as_str().unwrap().ends_with("/engine/id"));
        assert!(memory["options"].as_array().unwrap().contains(&json!("ro")));
    }
}
