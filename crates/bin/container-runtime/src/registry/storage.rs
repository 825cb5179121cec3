//! Opening the storage that `--storage` names, for one process at a time.

use super::{options, told};
use crate::lock;
use anyhow::{Context, Result, bail, ensure};
use durable::LockFile;
use repositories::{Bucket, Directory, Repositories, Storage};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// An open storage, and what keeps others out.
pub(super) struct Opened {
    pub(super) repositories: Repositories,
    /// What of it is on this machine.
    pub(super) directory: PathBuf,
    /// The same as a directory of blobs, beside the engine's.
    pub(super) beside: Option<Directory>,
    _lock: LockFile,
}

/// The one that the flags name, which is made if it does not exist.
pub(super) async fn open(place: &options::Storage) -> Result<Opened> {
    match place.storage.to_str().filter(|text| text.contains("://")) {
        None => {
            ensure!(
                place.spool.is_none(),
                "--spool is for a bucket: uploads into a directory are in it already"
            );
            locked(&place.storage, |path| Ok(Arc::new(Directory::open(path).map_err(told)?)))
        }
        Some(address) if !address.starts_with("s3://") => {
            bail!(
                "{address} is not supported: name a directory, or a bucket as s3://BUCKET/PREFIX?endpoint=URL"
            )
        }
        Some(address) => {
            let spool = place.spool.as_ref().context("a bucket needs --spool, for uploads in progress")?;
            let objects = objects::Bucket::open(address).map_err(told)?;
            objects.check().await.map_err(told)?;
            locked(spool, |path| Ok(Arc::new(Bucket::open(objects, path).map_err(told)?)))
        }
    }
}

/// The one that the flags name, which must be there.
pub(super) async fn open_existing(place: &options::Storage) -> Result<Opened> {
    let is_bucket = place.storage.to_str().is_some_and(|text| text.contains("://"));
    ensure!(
        is_bucket || Directory::is_at(&place.storage),
        "there is no registry in {}: name the directory that 'registry serve --storage' has",
        place.storage.display()
    );
    open(place).await
}

/// One that shares content with the directory of blobs at `other`.
pub(super) fn open_beside(path: &Path, other: &Path) -> Result<Opened> {
    let mut beside = None;
    let opened = locked(path, |path| {
        let directory = Directory::open_beside(path, other).map_err(told)?;
        beside = Some(directory.clone());
        Ok(Arc::new(directory))
    })?;
    Ok(Opened { beside, ..opened })
}

fn locked(path: &Path, open: impl FnOnce(&Path) -> Result<Arc<dyn Storage>>) -> Result<Opened> {
    durable::create_dir_all(path, 0o755)?;
    let lock = lock::acquire(path, "registry.lock", "only one process can serve a directory at a time")?;
    let repositories = Repositories::new(open(path)?);
    Ok(Opened { repositories, directory: path.to_owned(), beside: None, _lock: lock })
}
