//! The interface of youki's crate `libcgroups`, as far as libcontainer uses it, over this project's own driver.
//!
//! libcontainer makes, joins and removes a container's cgroup through this crate. The original reads the mount table twice
//! for every controller, each time behind a new `/proc`, which was 15 % of a container's creation; its `io.weight` overflows
//! 16 bits, it forgets `disableOOMKiller`, and speaks to systemd in wrong types. Nothing of it is used here: see ADR 8.

mod manager;
mod stats;

/// A container's cgroup: libcontainer's name for [`manager`].
pub mod common {
    pub use crate::manager::{
        AnyCgroupManager, AnyManagerError, CgroupConfig, CgroupManager, CgroupSetup, ControllerOpt,
        CreateCgroupSetupError, DEFAULT_CGROUP_ROOT, FreezerState, GetCgroupSetupError,
        create_cgroup_manager, get_cgroup_setup,
    };
}

/// Version 1: a hierarchy per controller.
pub mod v1 {
    /// Where it is mounted.
    pub mod util {
        use crate::manager::Error;
        use std::path::PathBuf;

        /// The mount points of all hierarchies.
        pub fn list_subsystem_mount_points() -> Result<Vec<PathBuf>, Error> {
            Ok(cgroups::Host::detect()?.v1_mounts().to_vec())
        }
    }
}

/// Version 2: one hierarchy.
pub mod v2 {
    /// Where it is mounted.
    pub mod util {
        use crate::manager::Error;
        use std::path::PathBuf;

        /// The mount point of the hierarchy.
        pub fn get_unified_mount_point() -> Result<PathBuf, Error> {
            let host = cgroups::Host::detect()?;
            host.v2_mount().map(PathBuf::from).ok_or(Error::Driver(cgroups::Error::NotMounted))
        }
    }
}
