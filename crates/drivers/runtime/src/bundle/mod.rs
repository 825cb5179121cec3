//! The OCI runtime document of a container, equal to what Docker 28 generates from the same wishes.
//!
//! Pure: everything that has to be looked up (devices, users, namespaces, kernel) is in [`Resolved`].

mod error;
mod resolved;

pub use error::BundleError;
pub use resolved::{
    CgroupVersion, DeviceKind, DeviceNumber, IdMap, IdMaps, NetworkNamespace, Resolved, ResolvedDevice,
    ResolvedMount, Shm,
};

use crate::user::User;
use oci_spec::runtime::{LinuxResources, Process, Spec};
use spec::{ContainerSpec, ExecSpec, Rlimit};
use std::collections::BTreeMap;

/// The OCI document of a container.
pub fn oci_spec(spec: &ContainerSpec, resolved: &Resolved) -> Result<Spec, BundleError> {
    let _ = (spec, resolved);
    todo!()
}

/// The OCI process of an exec in the container that `container` describes. `env` and `working_dir` of the exec are
/// added to, or fall back on, the container's own.
pub fn exec_process(container: &Spec, exec: &ExecSpec, user: &User) -> Result<Process, BundleError> {
    let _ = (container, exec, user);
    todo!()
}

/// The cgroup limits alone, as `update` sends them to a running container. `devices` holds the numbers of the block
/// devices named in them.
pub fn linux_resources(
    resources: &spec::Resources,
    devices: &BTreeMap<String, DeviceNumber>,
) -> Result<LinuxResources, BundleError> {
    let _ = (resources, devices);
    todo!()
}

/// Checks explicit limits: known names, soft not above hard, and no hard limit above the engine's own where the
/// engine may not raise it (no `CAP_SYS_RESOURCE`).
pub fn check_rlimits(rlimits: &[Rlimit]) -> Result<(), BundleError> {
    let _ = rlimits;
    todo!()
}
