//! The writable root file system of a container that does not run.

use super::thread;
use crate::error::at;
use crate::mount::{OPTIONS, overlay};
use crate::{LayerError, Layers, Result};
use rustix::fd::{AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, CWD, Mode, OFlags};
use rustix::mount::{MountAttrFlags, MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use std::path::{Path, PathBuf};

impl Layers {
    /// Mounted nowhere.
    pub(super) fn writable(&self, key: &str) -> Result<OwnedFd> {
        let dir = self.snapshot_dir(key)?;
        create(&dir, &self.stack(key)?, &dir.join("upper"), &dir.join("work"))
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
        let layers: Vec<OwnedFd> =
            self.stack(key)?.iter().map(|layer| mapped(layer, user)).collect::<Result<_>>()?;
        thread::keep_to_itself(namespace)?;
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        for layer in &layers {
            move_mount(layer, "", place, "", flags).map_err(at("attach a layer of", &dir))?;
        }
        let paths: Vec<PathBuf> = layers.iter().map(by_number).collect();
        create(&dir, &paths, &by_number(&upper), &by_number(&work))
    }
}

fn create(dir: &Path, stack: &[PathBuf], upper: &Path, work: &Path) -> Result<OwnedFd> {
    let mut tail = vec![("upperdir", upper.to_owned()), ("workdir", work.to_owned())];
    let own = OPTIONS.iter().filter_map(|option| option.split_once('='));
    tail.extend(own.map(|(name, value)| (name, PathBuf::from(value))));
    let each = stack.iter().map(|layer| ("lowerdir+", layer.clone()));
    let all: Vec<_> = each.chain(tail.iter().cloned()).collect();
    let attributes = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
    let made = match overlay(&all, attributes) {
        // Before Linux 6.5 all go into one string, which may have 255 bytes.
        Err(rustix::io::Errno::INVAL) => {
            let list: Vec<String> = stack.iter().map(|layer| layer.display().to_string()).collect();
            let list = std::iter::once(("lowerdir", PathBuf::from(list.join(":"))));
            overlay(&list.chain(tail).collect::<Vec<_>>(), attributes)
        }
        other => other,
    };
    made.map_err(|errno| LayerError::Mount { path: dir.to_owned(), source: errno.into() })
}

fn mapped(layer: &Path, user: BorrowedFd<'_>) -> Result<OwnedFd> {
    let flags = OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::OPEN_TREE_CLONE;
    let tree = open_tree(CWD, layer, flags).map_err(at("clone the mount of", layer))?;
    sys::mounts::map_ids(rustix::fd::AsFd::as_fd(&tree), user).map_err(at("map the ids of", layer))?;
    Ok(tree)
}

fn handle(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    fs::open(path, flags, Mode::empty()).map_err(at("open", path))
}

fn by_number(handle: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()))
}
