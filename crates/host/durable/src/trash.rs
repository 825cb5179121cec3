//! Where directories go to be deleted while nobody waits.

use crate::Result;
use std::path::{Path, PathBuf};

/// A directory whose content is being deleted by a background thread of low priority.
#[derive(Debug)]
pub struct Trash {
    dir: PathBuf,
}

impl Trash {
    /// Makes `dir` if need be, and begins to delete what an earlier process left there.
    pub fn open(dir: &Path) -> Result<Self> {
        Ok(Self { dir: dir.to_owned() })
    }

    /// Takes `path` away: one rename on the caller's side. What does not exist is no error.
    ///
    /// `path` must be on the same mount as the trash.
    pub fn discard(&self, path: &Path) -> Result<()> {
        todo!("{path:?}")
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}
