//! A registry in a directory: content in a store of blobs, links as small files.
//!
//! It may lie beside the engine's blobs: then either has what the other has by a link, and needs no copy. See
//! [`blobs::Blobs::beside`].
//!
//! ```text
//! <root>/registry.lock       held while somebody serves this directory
//! <root>/repositories/…      links, see the module `key`
//! <root>/repositories/.new/  being written; emptied at start
//! <root>/blobs, partial, …   content, see the crate `blobs`
//! <root>/quarantine/…        content that a check found damaged and nobody else had; nothing reads it
//! ```

mod content;
mod links;
mod stream;
mod upload;

pub(crate) use stream::{PIECE, piece};

use crate::key::ROOT;
use crate::storage::{Content, LinkInfo, Stat, Storage, Upload, UploadInfo};
use crate::{Folder, Key, RepositoryName, StorageError, UploadId};
use blobs::Blobs;
use bytes::Bytes;
use durable::Sync;
use oci::Digest;
use offload::blocking;
use std::ops::Range;
use std::path::{Path, PathBuf};

type Result<T> = std::result::Result<T, StorageError>;

/// See the module.
#[derive(Debug, Clone)]
pub struct Directory {
    root: PathBuf,
    blobs: Blobs,
}

impl Directory {
    /// A registry of its own.
    ///
    /// # Errors
    /// Of the file system.
    pub fn open(root: &Path) -> Result<Self> {
        durable::create_dir_all(root, 0o755)?;
        let directory = Self { root: root.to_owned(), blobs: Blobs::open(root)? };
        durable::create_dir_all(&root.join(ROOT), 0o755)?;
        links::empty_new(root)?;
        Ok(directory)
    }

    /// Whether a registry has been opened there before.
    pub fn is_at(root: &Path) -> bool {
        root.join(ROOT).is_dir()
    }

    /// A registry that shares content with the directory of blobs at `other`.
    ///
    /// # Errors
    /// Of the file system.
    pub fn open_beside(root: &Path, other: &Path) -> Result<Self> {
        let Self { root, blobs } = Self::open(root)?;
        Ok(Self { root, blobs: blobs.beside(other) })
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    /// Deletes all content.
    pub(crate) fn empty(&self) -> Result<()> {
        for (digest, _) in self.blobs.list()? {
            self.blobs.remove(&digest)?;
        }
        Ok(())
    }

    /// Runs work that may block, with a handle of its own.
    async fn with<T: Send + 'static>(&self, work: impl FnOnce(&Self) -> T + Send + 'static) -> T {
        let this = self.clone();
        blocking(move || work(&this)).await
    }

    fn path(&self, key: &Key) -> PathBuf {
        self.root.join(key.path())
    }
}

#[async_trait::async_trait]
impl Storage for Directory {
    async fn stat(&self, link: &Key, digest: &Digest) -> Result<Option<Stat>> {
        let (link, digest) = (link.clone(), digest.clone());
        self.with(move |this| content::stat(this, &link, &digest)).await
    }

    async fn open(&self, link: &Key, digest: &Digest, range: Option<Range<u64>>) -> Result<Option<Content>> {
        let (link, digest) = (link.clone(), digest.clone());
        self.with(move |this| content::open(this, &link, &digest, range)).await
    }

    async fn read(&self, link: &Key, digest: &Digest, limit: u64) -> Result<Option<(Bytes, Bytes)>> {
        let (link, digest) = (link.clone(), digest.clone());
        self.with(move |this| content::read(this, &link, &digest, limit)).await
    }

    async fn put(&self, digest: &Digest, content: Bytes) -> Result<()> {
        let digest = digest.clone();
        self.with(move |this| content::put(this, digest, &content)).await
    }

    async fn remove(&self, digest: &Digest) -> Result<()> {
        let digest = digest.clone();
        self.with(move |this| Ok(this.blobs.remove(&digest)?)).await
    }

    async fn list(&self) -> Result<Vec<(Digest, Stat)>> {
        self.with(content::list).await
    }

    async fn link(&self, key: &Key) -> Result<Option<Bytes>> {
        let key = key.clone();
        self.with(move |this| Ok(durable::read_optional(&this.path(&key))?.map(Bytes::from))).await
    }

    async fn write_links(&self, links: Vec<(Key, Bytes)>) -> Result<()> {
        self.with(move |this| links::write(this, &links)).await
    }

    async fn unlink(&self, key: &Key) -> Result<bool> {
        let key = key.clone();
        self.with(move |this| links::remove(&this.path(&key))).await
    }

    async fn links(&self, folder: &Folder) -> Result<Option<Vec<LinkInfo>>> {
        let path = self.root.join(folder.path());
        blocking(move || links::list(&path)).await
    }

    async fn repositories(&self) -> Result<Vec<RepositoryName>> {
        self.with(|this| links::repositories(&this.root.join(ROOT))).await
    }

    async fn holder(&self, digest: &Digest) -> Result<Option<RepositoryName>> {
        let digest = digest.clone();
        self.with(move |this| {
            let mut all = links::repositories(&this.root.join(ROOT))?.into_iter();
            Ok(all.find(|name| this.path(&Key::blob(name, &digest)).exists()))
        })
        .await
    }

    async fn begin(
        &self,
        repository: &RepositoryName,
        id: &UploadId,
        algorithm: &str,
    ) -> Result<Box<dyn Upload>> {
        let (key, id, algorithm) = (Key::upload(repository, id), id.clone(), algorithm.to_owned());
        self.with(move |this| upload::begin(this, &key, &id, &algorithm)).await
    }

    async fn resume(&self, repository: &RepositoryName, id: &UploadId) -> Result<Option<Box<dyn Upload>>> {
        let (key, id) = (Key::upload(repository, id), id.clone());
        self.with(move |this| upload::resume(this, &key, &id)).await
    }

    async fn uploads(&self, repository: &RepositoryName) -> Result<Vec<UploadInfo>> {
        let path = self.root.join(Folder::uploads(repository).path());
        self.with(move |this| upload::list(this, &path)).await
    }
}

/// Writes a file that may be lost in a power cut, in a directory that may not exist yet.
fn write_lossy(path: &Path, bytes: &[u8]) -> Result<()> {
    if let Some(parent) = path.parent() {
        durable::create_dir_all(parent, 0o755)?;
    }
    Ok(durable::write_atomic(path, bytes, Sync::None)?)
}
