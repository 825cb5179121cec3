//! Where a local backend has its files, and whose they are.

use crate::{Result, StoreError};
use durable::{LockError, LockFile};
use std::path::{Path, PathBuf};

/// The same name with more behind it.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

/// Takes the lock `file` of the store `path`.
pub(crate) fn lock(path: &Path, file: &Path) -> Result<LockFile> {
    LockFile::acquire(file).map_err(|error| match error {
        LockError::AlreadyHeld { pid, .. } => StoreError::Held { path: path.to_owned(), pid },
        LockError::File(error) => cannot_open(path, error),
    })
}

pub(crate) fn cannot_open(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Open { path: path.to_owned(), source: Box::new(error) }
}
