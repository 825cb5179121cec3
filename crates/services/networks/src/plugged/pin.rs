//! Files that keep network namespaces for plugins.
//!
//! A plugin opens the namespace by its path, and takes back all that it did only where that still works: bridge's rules for
//! masquerading stay if the namespace is gone. So each attachment has a file upon which its namespace is mounted, until it is
//! taken back; the daemon's and the container's end change nothing about it.

use super::PluggedError;
use crate::Result;
use rustix::mount::{UnmountFlags, mount_bind, unmount};
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// `NSFS_MAGIC` of `<linux/magic.h>`.
const NSFS: i128 = 0x6e73_6673;

/// Keeps a namespace by a file, which is made.
pub(crate) fn pin(namespace: &Path, at: &Path) -> Result<()> {
    let pinned = make(at).and_then(|()| Ok(mount_bind(namespace, at)?));
    pinned.map_err(|cause| error("keep", at, cause))
}

fn make(at: &Path) -> io::Result<()> {
    if let Some(directory) = at.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    File::create(at).map(drop)
}

/// Whether the file keeps a namespace.
pub(crate) fn is_pinned(at: &Path) -> bool {
    rustix::fs::statfs(at).is_ok_and(|found| i128::from(found.f_type) == NSFS)
}

/// Lets the namespace go, and removes the file; harmless when it was done before.
pub(crate) fn unpin(at: &Path) -> Result<()> {
    if is_pinned(at) {
        unmount(at, UnmountFlags::DETACH).map_err(|cause| error("let go of", at, cause.into()))?;
    }
    match fs::remove_file(at) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(error("let go of", at, cause)),
        _ => Ok(()),
    }
}

fn error(action: &'static str, path: &Path, cause: io::Error) -> crate::Error {
    PluggedError::Pin { action, path: path.to_owned(), cause }.into()
}
