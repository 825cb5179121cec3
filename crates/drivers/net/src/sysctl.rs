//! Kernel parameters of the calling thread's network namespace.

use crate::{Error, Result};
use parking_lot::Mutex;
use rustix::fs::{Mode, OFlags, openat};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, fsconfig_create, fsmount, fsopen};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

/// The value of a parameter, by its path below `/proc/sys/net`.
pub fn read(parameter: &str) -> Result<String> {
    let path = file(parameter);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(text.trim().to_owned()),
        Err(cause) => Err(Error::Sysctl { action: "read", path, cause }),
    }
}

/// Sets a parameter, by its path below `/proc/sys/net`.
pub fn write(parameter: &str, value: &str) -> Result<()> {
    let path = file(parameter);
    fs::write(&path, value).map_err(|cause| Error::Sysctl { action: "write", path, cause })
}

/// Sets a parameter unless it has the value already (it may then be read-only). Says whether it was changed.
pub fn ensure(parameter: &str, value: &str) -> Result<bool> {
    if read(parameter)? == value {
        return Ok(false);
    }
    write(parameter, value)?;
    Ok(true)
}

/// A `/proc` that is nobody else's, and how many namespaces were looked at through it.
static OWN: Mutex<Option<(OwnedFd, usize)>> = Mutex::new(None);

/// So many namespaces go through one instance: making and dropping one costs what some dozen look-ups do.
const SHARED_BY: usize = 64;

/// Sets parameters of a namespace that was just made, and answers those that can't be set, each with the reason.
///
/// A look-up below `/proc/sys/net` walks through the entries of all namespaces that were ever looked at through the
/// same `/proc`, since they have the same names; with a thousand it takes a tenth of a millisecond. Hence an instance of
/// our own, renewed now and then.
pub(crate) fn write_new<'p>(parameters: &[(&'p str, &str)]) -> Vec<(&'p str, io::Error)> {
    let mut own = OWN.lock();
    if own.as_ref().is_none_or(|(_, uses)| *uses >= SHARED_BY) {
        // Where mounting is not allowed the host's will do.
        *own = mount().ok().map(|instance| (instance, 0));
    }
    let mut refused = Vec::new();
    for (parameter, value) in parameters {
        let written = match &*own {
            Some((instance, _)) => write_below(instance, parameter, value),
            None => fs::write(file(parameter), value),
        };
        refused.extend(written.err().map(|error| (*parameter, error)));
    }
    if let Some((_, uses)) = &mut *own {
        *uses += 1;
    }
    refused
}

fn mount() -> io::Result<OwnedFd> {
    let context = fsopen("proc", FsOpenFlags::FSOPEN_CLOEXEC)?;
    fsconfig_create(&context)?;
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID
        | MountAttrFlags::MOUNT_ATTR_NODEV
        | MountAttrFlags::MOUNT_ATTR_NOEXEC;
    Ok(fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)?)
}

fn write_below(instance: &OwnedFd, parameter: &str, value: &str) -> io::Result<()> {
    let path = format!("sys/net/{parameter}");
    let file = openat(instance, path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    File::from(file).write_all(value.as_bytes())
}

fn file(parameter: &str) -> PathBuf {
    PathBuf::from("/proc/sys/net").join(parameter)
}
