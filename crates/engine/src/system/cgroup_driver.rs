//! Who makes the containers' cgroups, and below what.

use cgroups::{Driver, Host, Scope};
use config::CgroupDriver;
use errors::{Class, Error, Result};
use std::path::Path;

/// By default systemd where it is the init of a host with cgroup v2.
///
/// # Errors
/// `Unavailable` where systemd is asked for and can't do it.
pub(super) fn driver(wanted: CgroupDriver, host: &Host) -> Result<Driver> {
    let unavailable = |why| {
        let why = format!("runtime.cgroup_driver is systemd, but {why}");
        Err(Error::new(Class::Unavailable, why).hint("Set it to cgroupfs or auto"))
    };
    let (systemd, unified) = (Path::new("/run/systemd/system").exists(), host.mode().version() == 2);
    match wanted {
        CgroupDriver::Auto if systemd && unified => Ok(Driver::Systemd),
        CgroupDriver::Cgroupfs | CgroupDriver::Auto => Ok(Driver::Cgroupfs),
        CgroupDriver::Systemd if !systemd => unavailable("systemd is not the init of this host"),
        CgroupDriver::Systemd if !unified => unavailable("this host has cgroup v1"),
        CgroupDriver::Systemd => Ok(Driver::Systemd),
    }
}

/// The parent of containers that name none: a path of the engine's own, or systemd's slice for services.
///
/// # Errors
/// `Invalid` for one that the driver can't use.
pub(super) fn parent(wanted: &str, driver: Driver, private_suffix: Option<&str>) -> Result<String> {
    let is_default = wanted == config::Runtime::default().cgroup_parent;
    match (driver, private_suffix) {
        (Driver::Systemd, _) if is_default => Ok(Scope::DEFAULT_SLICE.to_owned()),
        (Driver::Cgroupfs, Some(suffix)) if is_default => Ok(format!("/container-runtime-{suffix}")),
        _ => check(wanted, driver).map(|()| wanted.to_owned()),
    }
}

/// Checks a parent that somebody named.
///
/// # Errors
/// `Invalid`, in docker's words.
pub(crate) fn check(parent: &str, driver: Driver) -> Result<()> {
    if driver == Driver::Systemd && !Scope::is_slice(parent) {
        let why = "cgroup-parent for systemd cgroup should be a valid slice named as \"xxx.slice\"";
        return Err(Error::new(Class::Invalid, why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_parent_fits_the_driver() {
        let default = config::Runtime::default().cgroup_parent;
        let of = |wanted: &str, driver, private| parent(wanted, driver, private).ok();
        assert_eq!(of(&default, Driver::Systemd, Some("1")).as_deref(), Some("system.slice"));
        assert_eq!(of(&default, Driver::Cgroupfs, Some("1")).as_deref(), Some("/container-runtime-1"));
        assert_eq!(of(&default, Driver::Cgroupfs, None), Some(default));
        assert_eq!(of("a-b.slice", Driver::Systemd, None).as_deref(), Some("a-b.slice"));
        assert_eq!(of("/a/b", Driver::Systemd, None), None);
        assert_eq!(of("/a/b", Driver::Cgroupfs, None).as_deref(), Some("/a/b"));
    }
}
