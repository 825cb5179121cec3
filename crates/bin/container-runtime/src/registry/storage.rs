//! Opening the storage that `--storage` names, for one process at a time.

use super::{options, told};
use anyhow::{Context, Result};
use durable::LockFile;
use repositories::{Bucket, Directory, Repositories, Storage};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An open storage, and what keeps others out.
pub(super) struct Opened {
    pub(super) repositories: Repositories,
    /// What of it is on this machine.
    pub(super) directory: PathBuf,
    _lock: LockFile,
}

/// The one that the flags name.
pub(super) fn open(place: &options::Storage) -> Result<Opened> {
    match place.storage.to_str().filter(|text| text.starts_with("s3://")) {
        None => locked(&place.storage, |path| Ok(Arc::new(Directory::open(path).map_err(told)?))),
        Some(address) => {
            let spool = place.spool.as_ref().context("a bucket needs --spool, for uploads in progress")?;
            let objects = objects::Bucket::open(address).map_err(told)?;
            locked(spool, |path| Ok(Arc::new(Bucket::open(objects, path).map_err(told)?)))
        }
    }
}

/// One that shares content with the directory of blobs at `other`.
pub(super) fn open_beside(path: &Path, other: &Path) -> Result<Opened> {
    locked(path, |path| Ok(Arc::new(Directory::open_beside(path, other).map_err(told)?)))
}

fn locked(path: &Path, open: impl FnOnce(&Path) -> Result<Arc<dyn Storage>>) -> Result<Opened> {
    durable::create_dir_all(path, 0o755)?;
    let lock = LockFile::acquire(&path.join("registry.lock"))
        .context("only one process can serve a directory at a time")?;
    let repositories = Repositories::new(open(path)?);
    Ok(Opened { repositories, directory: path.to_owned(), _lock: lock })
}
