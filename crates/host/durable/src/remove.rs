//! Deleting a tree that strangers filled: never through a symbolic link, never across a mount.

use crate::Result;
use std::io;
use std::path::{Path, PathBuf};

/// Something that could not be deleted, and why: a mount, an immutable file.
#[derive(Debug)]
pub struct Leftover {
    /// What stays.
    pub path: PathBuf,
    /// The kernel's reason.
    pub error: io::Error,
}

/// Deletes `path` and everything below it as far as possible, and lists what had to stay.
pub fn remove_tree(path: &Path) -> Result<Vec<Leftover>> {
    todo!("{path:?}")
}
