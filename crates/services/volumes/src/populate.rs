//! Copying the image's content into a volume that is empty.

use crate::Result;
use std::os::fd::BorrowedFd;
use std::path::Path;

/// Copies the directory `path` of the tree `src_root` into the directory `dst`, if that is empty: owners, modes,
/// extended attributes, hard and symbolic links, device nodes, holes and times.
///
/// `path` is resolved as if `src_root` were `/`, so links in the image lead nowhere else; below it no link is
/// followed on either side. The directory `dst` itself gets the source's owner, mode, attributes and times. Blocks.
///
/// Returns whether anything was there to copy: false if `path` is no directory or `dst` is not empty.
pub fn populate(src_root: BorrowedFd<'_>, path: &Path, dst: &Path) -> Result<bool> {
    todo!("{src_root:?} {path:?} {dst:?}")
}
