//! Volumes and bind mounts in their places.

use crate::error::at;
use crate::{LayerError, Result};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Uid};
use rustix::io::Errno;
use rustix::mount::{MoveMountFlags, OpenTreeFlags, move_mount, open_tree};
use std::path::{Component, Path, PathBuf};

/// A directory or file of the host in a container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewMount {
    /// On the host.
    pub source: PathBuf,
    /// In the container.
    pub target: PathBuf,
    /// Whether nothing may be written to it.
    pub read_only: bool,
    /// Whether what is mounted in the source comes along.
    pub recursive: bool,
}

/// Opens what is to be mounted, in this thread's namespace.
pub(super) fn open_sources(mounts: &[ViewMount]) -> Result<Vec<OwnedFd>> {
    let open = |mount: &ViewMount| {
        fs::open(&mount.source, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
            .map_err(at("open", &mount.source))
    };
    mounts.iter().map(open).collect()
}

/// Mounts `source` where `mount` says. A place that is missing is made for `owner`, if there is one.
pub(super) fn attach(
    root: BorrowedFd<'_>,
    mount: &ViewMount,
    source: BorrowedFd<'_>,
    owner: Option<(u32, u32)>,
) -> Result<()> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    flags |= OpenTreeFlags::AT_EMPTY_PATH;
    flags.set(OpenTreeFlags::AT_RECURSIVE, mount.recursive);
    let tree = open_tree(source, "", flags).map_err(at("clone the mount of", &mount.source))?;
    let read_only = mount.read_only || owner.is_none();
    sys::mounts::restrict(tree.as_fd(), read_only).map_err(at("restrict the mount of", &mount.source))?;
    let target = match (open_inside(root, &mount.target), owner) {
        (Err(Errno::NOENT), Some(owner)) => make_place(root, mount, source, owner),
        (Err(Errno::NOENT), None) => return Err(LayerError::NoMountPoint { path: mount.target.clone() }),
        (found, _) => found,
    };
    let target = target.map_err(at("find the mount point", &mount.target))?;
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(&tree, "", &target, "", flags).map_err(at("mount", &mount.target))
}

fn open_inside(root: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    fs::openat2(root, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve)
}

/// An empty directory, or an empty file for what is no directory, as a start of the container would make it.
fn make_place(
    root: BorrowedFd<'_>,
    mount: &ViewMount,
    source: BorrowedFd<'_>,
    owner: (u32, u32),
) -> Result<OwnedFd, Errno> {
    let directory = FileType::from_raw_mode(fs::fstat(source)?.st_mode) == FileType::Directory;
    let (mut parent, mut reached) = (open_inside(root, Path::new("/"))?, PathBuf::from("/"));
    let mut names = mount.target.components().filter(|part| matches!(part, Component::Normal(_))).peekable();
    while let Some(name) = names.next() {
        reached.push(name);
        parent = match open_inside(root, &reached) {
            Err(Errno::NOENT) => {
                if directory || names.peek().is_some() {
                    fs::mkdirat(&parent, name.as_os_str(), Mode::from_raw_mode(0o755))?;
                } else {
                    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                    fs::openat(&parent, name.as_os_str(), flags, Mode::from_raw_mode(0o644))?;
                }
                let made = open_inside(root, &reached)?;
                let (uid, gid) = (Uid::from_raw(owner.0), Gid::from_raw(owner.1));
                fs::chownat(&made, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
                made
            }
            other => other?,
        };
    }
    Ok(parent)
}
