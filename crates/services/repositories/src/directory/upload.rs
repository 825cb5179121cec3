//! Uploads into a directory: half-written blobs that outlive requests and processes.

use super::{Directory, Result, links, write_lossy};
use crate::storage::{Upload, UploadInfo};
use crate::{Key, StorageError, UploadId};
use blobs::{BlobError, Expected, Partial};
use bytes::Bytes;
use oci::Digest;
use offload::blocking;
use std::fs::File;
use std::path::{Path, PathBuf};

/// The half-written blob is called so, beside those of others.
fn partial_name(id: &UploadId) -> String {
    format!("upload-{id}")
}

/// An upload, and the link that says whose it is and which hash it needs.
#[derive(Debug)]
struct Open {
    /// None while a thread has it, and after an error.
    partial: Option<Partial>,
    size: u64,
    link: PathBuf,
}

pub(super) fn begin(
    directory: &Directory,
    key: &Key,
    id: &UploadId,
    algorithm: &str,
) -> Result<Box<dyn Upload>> {
    let link = directory.path(key);
    write_lossy(&link, algorithm.as_bytes())?;
    open(directory, link, id, algorithm)
}

pub(super) fn resume(directory: &Directory, key: &Key, id: &UploadId) -> Result<Option<Box<dyn Upload>>> {
    let link = directory.path(key);
    let Some(algorithm) = durable::read_optional(&link)? else { return Ok(None) };
    open(directory, link, id, &String::from_utf8_lossy(&algorithm)).map(Some)
}

fn open(directory: &Directory, link: PathBuf, id: &UploadId, algorithm: &str) -> Result<Box<dyn Upload>> {
    let partial = directory.blobs.resume_as(&partial_name(id), algorithm)?;
    Ok(Box::new(Open { size: partial.size(), partial: Some(partial), link }))
}

/// The uploads of a repository: when something last came, the half-written blob says.
pub(super) fn list(directory: &Directory, folder: &Path) -> Result<Vec<UploadInfo>> {
    let links = links::list(folder)?.unwrap_or_default();
    if links.is_empty() {
        return Ok(Vec::new());
    }
    let partials = directory.blobs.partials()?;
    let info = |link: crate::LinkInfo| {
        let id: UploadId = link.name.parse().ok()?;
        let partial = partials.iter().find(|partial| partial.name == partial_name(&id));
        let written = partial.map_or(link.modified, |partial| partial.modified);
        Some(UploadInfo { id, modified: written.max(link.modified) })
    };
    Ok(links.into_iter().filter_map(info).collect())
}

impl Open {
    /// Gives the half-written blob to `work` in a thread that may block.
    async fn with<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(Partial) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let partial = self.partial.take().ok_or_else(|| self.lost())?;
        blocking(move || work(partial)).await
    }

    fn lost(&self) -> StorageError {
        StorageError::Damaged { key: self.link.display().to_string() }
    }
}

#[async_trait::async_trait]
impl Upload for Open {
    fn size(&self) -> u64 {
        self.size
    }

    async fn append(&mut self, pieces: Vec<Bytes>) -> Result<()> {
        let appended = self.with(move |mut partial| {
            pieces.iter().try_for_each(|piece| partial.append(piece))?;
            Ok(partial)
        });
        let partial = appended.await?;
        self.size = partial.size();
        self.partial = Some(partial);
        Ok(())
    }

    fn content(&self) -> Result<Option<File>> {
        let partial = self.partial.as_ref().ok_or_else(|| self.lost())?;
        Ok(Some(partial.content()?))
    }

    /// Nothing to do: all is in the file.
    async fn pause(&mut self) -> Result<()> {
        Ok(())
    }

    async fn commit(mut self: Box<Self>, digest: &Digest) -> Result<()> {
        let expected = Expected { digest: Some(digest.clone()), size: None };
        let link = self.link.clone();
        self.with(move |partial| {
            let committed = partial.sync().and_then(|()| partial.commit(&expected));
            // Also after content of another digest, which is gone.
            if matches!(committed, Ok(_) | Err(BlobError::Mismatch { .. })) {
                links::remove_lossy(&link)?;
            }
            committed?;
            Ok(())
        })
        .await
    }

    async fn discard(mut self: Box<Self>) -> Result<()> {
        let link = self.link.clone();
        self.with(move |partial| {
            partial.discard()?;
            links::remove_lossy(&link).map(drop)
        })
        .await
    }
}
