//! The writable root file system of a container that does not run.

use crate::error::at;
use crate::overlay::Overlay;
use crate::{Layers, Result, thread};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, CWD, Mode, OFlags};
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use std::path::{Path, PathBuf};

impl Layers {
    /// Mounted nowhere.
    pub(super) fn writable(&self, key: &str) -> Result<OwnedFd> {
        let dir = self.snapshot_dir(key)?;
        let (stack, upper, work) = (self.stack(key)?, dir.join("upper"), dir.join("work"));
        Overlay { root: &self.inner.root, lower: &stack, upper: Some((&upper, &work)) }.detached()
    }

    /// The same with lower layers as the user namespace `user` sees them. Overlay takes such, before Linux 6.15, only
    /// where they are attached in its caller's namespace: they are stacked on `place`, and this thread's namespace,
    /// `namespace`, is private from here on.
    pub(super) fn writable_mapped(
        &self,
        key: &str,
        user: BorrowedFd<'_>,
        place: BorrowedFd<'_>,
        namespace: BorrowedFd<'_>,
    ) -> Result<OwnedFd> {
        let dir = self.snapshot_dir(key)?;
        let (upper, work) = (handle(&dir.join("upper"))?, handle(&dir.join("work"))?);
        let root = handle(&self.inner.root)?;
        let layers: Vec<OwnedFd> =
            self.stack(key)?.iter().map(|layer| mapped(layer, user)).collect::<Result<_>>()?;
        thread::keep_to_itself(namespace)?;
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        for layer in &layers {
            move_mount(layer, "", place, "", flags).map_err(at("attach a layer of", &dir))?;
        }
        let paths: Vec<PathBuf> = layers.iter().map(by_number).collect();
        let (upper, work) = (by_number(&upper), by_number(&work));
        Overlay { root: &self.inner.root, lower: &paths, upper: Some((&upper, &work)) }
            .detached_here(root.as_fd())
    }
}

fn mapped(layer: &Path, user: BorrowedFd<'_>) -> Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::OPEN_TREE_CLONE;
    let tree = open_tree(CWD, layer, flags).map_err(at("clone the mount of", layer))?;
    sys::mounts::map_ids(tree.as_fd(), user).map_err(at("map the ids of", layer))?;
    Ok(tree)
}

fn handle(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    fs::open(path, flags, Mode::empty()).map_err(at("open", path))
}

fn by_number(handle: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()))
}
