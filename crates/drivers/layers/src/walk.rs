//! Reading directory trees that a container may be changing at the same time.
//!
//! Every directory is opened anew from the root, without following a link and without leaving the mount, so that
//! nothing a container puts in the way leads out, and no depth of nesting costs descriptors or stack. What vanishes
//! or has a path too long for the kernel is passed over.

use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{self, AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

const RESOLVE: ResolveFlags = ResolveFlags::BENEATH
    .union(ResolveFlags::NO_SYMLINKS)
    .union(ResolveFlags::NO_XDEV)
    .union(ResolveFlags::NO_MAGICLINKS);

/// A tree's root.
pub(crate) fn open_root(path: &Path) -> Result<OwnedFd, Errno> {
    fs::open(path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// The directory at `path` below `root`; empty: the root itself.
pub(crate) fn open_dir(root: impl AsFd, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::openat2(root, here(path), flags, Mode::empty(), RESOLVE)
}

/// What is at `path` below `root`.
pub(crate) fn stat(root: impl AsFd, path: &Path) -> Result<Stat, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    fs::fstat(fs::openat2(root, here(path), flags, Mode::empty(), RESOLVE)?)
}

/// Paths and attributes of everything in the directory `path` below `root`.
pub(crate) fn list(root: impl AsFd, path: &Path) -> Result<Vec<(PathBuf, Stat)>, Errno> {
    let dir = open_dir(root, path)?;
    let mut found = Vec::new();
    for entry in Dir::read_from(&dir)? {
        let entry = entry?;
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        if name != "." && name != ".." {
            match fs::statat(&dir, name, AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => {}
                stat => found.push((path.join(name), stat?)),
            }
        }
    }
    Ok(found)
}

/// Whether it is a directory.
pub(crate) fn is_dir(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::Directory
}

/// Whether it is overlay's mark for something that is gone.
pub(crate) fn is_whiteout(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
}

fn here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}
