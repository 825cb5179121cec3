//! The OCI runtime document of a container, equal to what Docker 28 generates from the same wishes.
//!
//! Everything that has to be looked up for a container (devices, users, namespaces) is in [`Resolved`]. The only
//! things read here are constants of this process and this host ([`host`]): our own capabilities and limits, and
//! which kernel parameters exist.
//!
//! Differences from Docker's document, all without effect or to the same effect: an older version number, wildcard device numbers are left
//! out instead of -1, the deny rule for `/dev/fuse` after the deny-all rule is left out, and `HOME` is part of the
//! environment (runc adds it later by itself).

mod capabilities;
mod devices;
mod error;
pub mod host;
mod mounts;
mod namespaces;
mod paths;
mod process;
mod resolved;
mod resources;
mod rlimits;
mod sysctls;

#[cfg(test)]
mod tests;

pub use capabilities::{capability_name, normalize_capability};
pub use error::BundleError;
pub use mounts::{BindRequest, bind_mount, tmpfs_mount};
pub use paths::{default_masked, default_readonly};
pub use process::exec_process;
pub use resolved::{
    DeviceKind, DeviceNumber, NetworkNamespace, Resolved, ResolvedDevice, ResolvedMount, Shm,
};
pub use resources::linux_resources;
pub use rlimits::{check_oom_score_adj, check_rlimits};

use crate::seccomp::{Conditions, default_profile, parse_profile};
use oci_spec::runtime::{
    Capability, Linux, LinuxBuilder, LinuxIdMapping, LinuxIdMappingBuilder, LinuxSeccomp, RootBuilder, Spec,
    SpecBuilder,
};
use spec::{ContainerSpec, IdMap, JoinMode, Seccomp};
use std::collections::HashSet;

/// Version of the runtime specification that the document keeps to: the oldest that has all of it, since runtimes of
/// stable distributions refuse newer numbers.
const OCI_VERSION: &str = "1.0.2";

/// The OCI document of a container.
pub fn oci_spec(spec: &ContainerSpec, resolved: &Resolved) -> Result<Spec, BundleError> {
    let capabilities = capabilities::of_container(&spec.security)?;
    let process = process::init_process(spec, resolved, &capabilities)?;
    let linux = linux(spec, resolved, &capabilities)?;
    let root = RootBuilder::default()
        .path(resolved.rootfs.clone())
        .readonly(spec.filesystem.read_only)
        .build()
        .expect(ALL_SET);
    let mut document = SpecBuilder::default()
        .version(OCI_VERSION)
        .process(process)
        .root(root)
        .mounts(mounts::of_container(spec, resolved))
        .linux(linux)
        .annotations(spec.annotations.clone().into_iter().collect::<std::collections::HashMap<_, _>>())
        .build()
        .expect(ALL_SET);
    let hostname = (spec.namespaces.uts != JoinMode::Host && !resolved.hostname.is_empty())
        .then(|| resolved.hostname.clone());
    document.set_hostname(hostname);
    Ok(document)
}

/// Why the builders of `oci_spec` cannot fail: each of their fields has a default.
const ALL_SET: &str = "every field has a default";

fn linux(
    spec: &ContainerSpec,
    resolved: &Resolved,
    capabilities: &HashSet<Capability>,
) -> Result<Linux, BundleError> {
    let security = &spec.security;
    let mut resources = resources::of_container(&spec.resources, &resolved.block_devices)?;
    resources.set_devices(Some(devices::rules(security, &resolved.devices)?));
    let mut linux = LinuxBuilder::default()
        .cgroups_path(resolved.cgroup_path.clone())
        .namespaces(namespaces::of_container(spec, resolved))
        .resources(resources)
        .sysctl(sysctls::of_container(spec, resolved))
        .devices(devices::nodes(&resolved.devices))
        .build()
        .expect(ALL_SET);
    let masked = security.masked_paths.clone().or_else(|| paths::default_masked(security.privileged));
    let readonly = security.readonly_paths.clone().or_else(|| paths::default_readonly(security.privileged));
    linux.set_masked_paths(masked);
    linux.set_readonly_paths(readonly);
    linux.set_rootfs_propagation(mounts::rootfs_propagation(&resolved.mounts).map(str::to_owned));
    linux.set_seccomp(seccomp(spec, resolved, capabilities)?);
    linux.set_mount_label(resolved.selinux.as_ref().map(|(_, mounts)| mounts.clone()));
    linux.set_uid_mappings(resolved.id_maps.as_ref().map(|maps| id_mappings(&maps.uids)));
    linux.set_gid_mappings(resolved.id_maps.as_ref().map(|maps| id_mappings(&maps.gids)));
    Ok(linux)
}

fn seccomp(
    spec: &ContainerSpec,
    resolved: &Resolved,
    capabilities: &HashSet<Capability>,
) -> Result<Option<LinuxSeccomp>, BundleError> {
    let conditions = Conditions { capabilities, kernel: resolved.kernel };
    match &spec.security.seccomp {
        Seccomp::Unconfined => Ok(None),
        Seccomp::Profile(_) if !resolved.seccomp => Err(BundleError::NoSeccomp),
        Seccomp::Profile(json) => parse_profile(json, &conditions),
        Seccomp::Default if spec.security.privileged || !resolved.seccomp => Ok(None),
        Seccomp::Default => Ok(Some(default_profile(&conditions))),
    }
}

fn id_mappings(maps: &[IdMap]) -> Vec<LinuxIdMapping> {
    maps.iter()
        .map(|map| {
            LinuxIdMappingBuilder::default()
                .container_id(map.container)
                .host_id(map.host)
                .size(map.size)
                .build()
                .expect(ALL_SET)
        })
        .collect()
}
