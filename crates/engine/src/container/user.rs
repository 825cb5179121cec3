//! Whom a process runs as, looked up in the container's own files.

use crate::Services;
use errors::{Class, Error, Result};
use ids::ContainerId;
use runtime::user::{self, User};
use rustix::fs::{Mode, OFlags};
use std::os::fd::{AsFd, OwnedFd};

/// Largest user or group file that is read, in bytes.
const LIMIT: u64 = 16 << 20;

/// Finds user and groups in the container's `/etc/passwd` and `/etc/group`: those that its init process `pid` sees, or
/// those on its layers while it does not run. Blocks.
pub(crate) fn lookup(
    services: &Services,
    id: &ContainerId,
    pid: Option<u32>,
    name: &str,
    groups: &[String],
) -> Result<User> {
    let root = match pid {
        Some(pid) => live_root(pid)?,
        None => services.images.open_root(id.as_str())?,
    };
    let read = |path| images::read_in_root(root.as_fd(), path, LIMIT);
    Ok(user::resolve(name, groups, &text(&read("etc/passwd")?), &text(&read("etc/group")?))?)
}

/// The root directory of a running process. (A second overlay over the same directories would be told off by the kernel.)
fn live_root(pid: u32) -> Result<OwnedFd> {
    let path = format!("/proc/{pid}/root");
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(&path, flags, Mode::empty())
        .map_err(|error| Error::wrap(Class::Conflict, error).context(format!("open {path}")))
}

fn text(bytes: &Option<Vec<u8>>) -> String {
    bytes.as_deref().map_or_else(String::new, |bytes| String::from_utf8_lossy(bytes).into_owned())
}
