//! Layers mounted for everybody to see, at a place of the host.

use crate::error::at;
use crate::{LayerId, Layers, Result};
use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, UnmountFlags, move_mount, unmount};
use std::path::Path;

impl Layers {
    /// Mounts the read-only stack of `layers`, lowest first, on the directory `place`. It stays until [`unmount_from`], also after
    /// this process. Whoever calls keeps the layers for as long.
    pub fn mount_on(&self, layers: &[LayerId], place: &Path) -> Result<()> {
        let tree = self.open_layers(layers)?;
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
        move_mount(&tree, "", CWD, place, flags).map_err(at("mount on", place))
    }
}

/// Takes away what is mounted on `place`. Nothing there is no error.
///
/// # Errors
/// [`LayerError::Io`](crate::LayerError::Io) of the kind `ResourceBusy` while somebody uses it, unless it goes `lazily`, as they leave.
pub fn unmount_from(place: &Path, lazily: bool) -> Result<()> {
    let flags = if lazily { UnmountFlags::DETACH } else { UnmountFlags::empty() } | UnmountFlags::NOFOLLOW;
    match unmount(place, flags) {
        Err(Errno::INVAL | Errno::NOENT) => Ok(()),
        other => other.map_err(at("unmount", place)),
    }
}

/// Whether something is mounted on `place`.
pub fn is_mounted(place: &Path) -> Result<bool> {
    match statx(CWD, place, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::empty()) {
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(at("look at", place)(errno)),
        Ok(found) => Ok(found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)),
    }
}
