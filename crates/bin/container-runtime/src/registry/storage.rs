//! Opening the storage that `--storage` names, for one process at a time.

use super::told;
use anyhow::{Context, Result};
use durable::LockFile;
use repositories::{Directory, Repositories, Storage, StorageError};
use std::path::Path;
use std::sync::Arc;

/// An open storage, and what keeps others out.
pub(super) struct Opened {
    pub(super) repositories: Repositories,
    _lock: LockFile,
}

pub(super) fn open(path: &Path) -> Result<Opened> {
    locked(path, Directory::open)
}

/// One that shares content with the directory of blobs at `other`.
pub(super) fn open_beside(path: &Path, other: &Path) -> Result<Opened> {
    locked(path, |path| Directory::open_beside(path, other))
}

fn locked(path: &Path, open: impl FnOnce(&Path) -> Result<Directory, StorageError>) -> Result<Opened> {
    durable::create_dir_all(path, 0o755)?;
    let lock = LockFile::acquire(&path.join("registry.lock"))
        .context("only one process can serve a directory at a time")?;
    let storage: Arc<dyn Storage> = Arc::new(open(path).map_err(told)?);
    Ok(Opened { repositories: Repositories::new(storage), _lock: lock })
}
