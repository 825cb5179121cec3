//! Crash-safe files, locks that name their holder, and deletion that nobody has to wait for.
//!
//! What is promised: after [`write_atomic`] with [`Sync::FileAndDir`] the new content survives a power cut, and at
//! any moment before a reader or a crash finds the old content or the new, never a mixture. That holds on ext4, XFS
//! and Btrfs, whose renames are atomic and whose directories are persisted by `fsync(2)` of the directory.

mod atomic;
mod dirs;
mod lock;
mod remove;
mod trash;
mod workers;

pub use atomic::{Sync, read_optional, remove_optional, sweep, write_atomic, write_atomic_mode};
pub use dirs::{create_dir_all, rename, sync_dir};
pub use lock::{LockError, LockFile};
pub use remove::{Leftover, remove_tree};
pub use trash::Trash;

use std::io;
use std::path::{Path, PathBuf};

/// A file operation that failed, and on what.
#[derive(Debug, thiserror::Error)]
#[error("{action} {path}")]
pub struct FileError {
    /// A verb: `open`, `write`, `rename`, `sync`.
    pub action: &'static str,
    /// The file or directory.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

impl errors::Classified for FileError {
    fn class(&self) -> errors::Class {
        errors::io_class(&self.source)
    }
}

/// Results of file operations.
pub type Result<T, E = FileError> = std::result::Result<T, E>;

/// Puts the action and the path on an I/O error.
fn at<E: Into<io::Error>>(action: &'static str, path: &Path) -> impl FnOnce(E) -> FileError {
    move |source| FileError { action, path: path.to_owned(), source: source.into() }
}
