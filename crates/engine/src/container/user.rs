//! Whom a process runs as, looked up in the container's own files.

use crate::Services;
use errors::Result;
use ids::ContainerId;
use runtime::user::{self, User};
use std::os::fd::AsFd;

/// Largest user or group file that is read, in bytes.
const LIMIT: u64 = 16 << 20;

/// Finds user and groups in the container's `/etc/passwd` and `/etc/group`. Blocks.
pub(crate) fn lookup(services: &Services, id: &ContainerId, name: &str, groups: &[String]) -> Result<User> {
    let root = services.images.open_root(id.as_str())?;
    let read = |path| images::read_in_root(root.as_fd(), path, LIMIT);
    Ok(user::resolve(name, groups, &text(&read("etc/passwd")?), &text(&read("etc/group")?))?)
}

fn text(bytes: &Option<Vec<u8>>) -> String {
    bytes.as_deref().map_or_else(String::new, |bytes| String::from_utf8_lossy(bytes).into_owned())
}
