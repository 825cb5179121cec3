//! Layers of an overlay as a user namespace sees their owners, so that one copy on disk serves every map.
//!
//! Overlay takes id-mapped layers since Linux 5.19, but before 6.15 only such as are attached in the caller's mount
//! namespace. Hence they are attached, one over the other, where the root file system will be, and found by
//! descriptor; overlay keeps mounts of its own of them.

use super::unmount_all;
use crate::error::{Error, Result};
use rustix::fd::{AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::CWD;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use std::os::fd::AsFd;
use std::path::Path;

/// Attached layers, until this is dropped.
#[derive(Debug)]
pub(super) struct MappedLayers<'a> {
    layers: Vec<OwnedFd>,
    target: &'a Path,
}

impl<'a> MappedLayers<'a> {
    /// Attaches the directories `layers` on `target`.
    pub(super) fn attach(layers: &[String], user: BorrowedFd<'_>, target: &'a Path) -> Result<Self> {
        let mut mapped = Self { layers: Vec::new(), target };
        for layer in layers {
            mapped.add(Path::new(layer), user)?;
        }
        Ok(mapped)
    }

    fn add(&mut self, layer: &Path, user: BorrowedFd<'_>) -> Result<()> {
        let flags = OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::OPEN_TREE_CLONE;
        let tree = open_tree(CWD, layer, flags).map_err(|cause| Error::file("clone layer", layer, cause))?;
        sys::mounts::map_ids(tree.as_fd(), user)
            .map_err(|cause| Error::file("map the ids of layer", layer, cause))?;
        move_mount(&tree, "", CWD, self.target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
            .map_err(|cause| Error::file("attach a layer on", self.target, cause))?;
        self.layers.push(tree);
        Ok(())
    }

    /// As overlay's `lowerdir` has them.
    pub(super) fn option(&self) -> String {
        let paths: Vec<_> =
            self.layers.iter().map(|layer| format!("/proc/self/fd/{}", layer.as_raw_fd())).collect();
        format!("lowerdir={}", paths.join(":"))
    }
}

impl Drop for MappedLayers<'_> {
    fn drop(&mut self) {
        unmount_all(self.layers.len(), self.target);
    }
}
