//! Copying the image's content into a volume that is empty.

mod content;
mod metadata;
mod tree;

use crate::{Result, VolumeError};
use rustix::fs::{CWD, Dir, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use spec::IdMaps;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;

/// Whether the copy is on disk when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// The kernel writes it when it likes.
    Later,
    /// Each file and directory is synced.
    Synced,
}

/// How to copy.
#[derive(Debug, Clone)]
pub(crate) struct CopyOptions {
    pub(crate) durability: Durability,
    /// What the owners of the copies are on the host; none: the image's.
    pub(crate) ids: Option<IdMaps>,
}

/// Copies the directory `path` of the tree `src_root` into the directory `dst`, if that is empty: owners, modes,
/// extended attributes, hard and symbolic links, device nodes, holes and times.
///
/// `path` is resolved as if `src_root` were `/`, so links in the image lead nowhere else; below it no link is
/// followed on either side. The directory `dst` itself gets the source's owner, mode, attributes and times. Blocks.
///
/// Returns whether it was done: false if `path` is no directory or `dst` is not empty.
pub fn populate(src_root: BorrowedFd<'_>, path: &Path, dst: &Path) -> Result<bool> {
    copy_if_empty(src_root, path, dst, &CopyOptions { durability: Durability::Later, ids: None })
}

pub(crate) fn copy_if_empty(
    src_root: BorrowedFd<'_>,
    path: &Path,
    dst: &Path,
    options: &CopyOptions,
) -> Result<bool> {
    let failed = |action| {
        move |error: Errno| VolumeError::Populate { action, path: path.to_owned(), source: error.into() }
    };
    let Some(source) = open_source(src_root, path).map_err(failed("open"))? else { return Ok(false) };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let target = rustix::fs::openat(CWD, dst, flags, Mode::empty()).map_err(failed("open the volume for"))?;
    if !is_empty(&target).map_err(failed("read the volume for"))? {
        return Ok(false);
    }
    tree::copy(source, target, options)?;
    Ok(true)
}

/// The image's directory, or none if there is no such directory.
pub(crate) fn open_source(src_root: BorrowedFd<'_>, path: &Path) -> Result<Option<OwnedFd>, Errno> {
    let path = path.strip_prefix("/").unwrap_or(path);
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(src_root, path, flags, Mode::empty(), resolve) {
        Ok(directory) => Ok(Some(directory)),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a directory holds nothing. A file system's own `lost+found` counts as something, as with Docker.
fn is_empty(directory: &OwnedFd) -> Result<bool, Errno> {
    for entry in Dir::read_from(directory)? {
        if !matches!(entry?.file_name().to_bytes(), b"." | b"..") {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests;
