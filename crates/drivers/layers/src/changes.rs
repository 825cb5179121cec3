//! What a container did to its root file system.

use std::path::PathBuf;

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// In content or attributes. Docker's 0, `C`.
    Modified,
    /// Docker's 1, `A`.
    Added,
    /// Docker's 2, `D`.
    Deleted,
}

/// A path, absolute in the container, and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Begins with `/`.
    pub path: PathBuf,
    /// What happened.
    pub kind: ChangeKind,
}
