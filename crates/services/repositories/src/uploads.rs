//! Uploads: begun, written piece by piece, and ended as a blob of the repository; or mounted from another repository.

use crate::sessions::Slot;
use crate::storage::Upload;
use crate::{Key, Repositories, RepositoryError, RepositoryName, Result, StorageError, UploadId};
use blobs::BlobError;
use bytes::Bytes;
use oci::Digest;
use std::fs::File;
use std::time::Duration;
use tokio::sync::OwnedMutexGuard;

/// How long a request waits for another one to let go of the same upload: the server may learn later than its client that
/// a connection broke.
const PATIENCE: Duration = Duration::from_secs(5);

/// An upload that one request holds. Dropped, it stays for the next one.
#[derive(Debug)]
pub struct Session {
    repositories: Repositories,
    repository: RepositoryName,
    id: UploadId,
    slot: OwnedMutexGuard<Option<Box<dyn Upload>>>,
}

/// What came of the wish to mount a blob.
#[derive(Debug, PartialEq, Eq)]
pub enum Mounted {
    /// The repository has it.
    Yes,
    /// It is not there to be mounted: upload it.
    No,
}

impl Repositories {
    /// Begins an upload. `algorithm` of the digest that is expected.
    ///
    /// # Errors
    /// Of the storage.
    pub async fn begin_upload(&self, repository: &RepositoryName, algorithm: &str) -> Result<Session> {
        let id = UploadId::new()?;
        let slot = self.sessions.slot(repository, &id);
        let mut slot = slot.lock_owned().await;
        *slot = Some(self.storage.begin(repository, &id, algorithm).await?);
        Ok(Session { repositories: self.clone(), repository: repository.clone(), id, slot })
    }

    /// Takes up an upload.
    ///
    /// # Errors
    /// [`RepositoryError::UploadUnknown`], [`RepositoryError::UploadBusy`].
    pub async fn upload(&self, repository: &RepositoryName, id: &UploadId) -> Result<Session> {
        let slot: Slot = self.sessions.slot(repository, id);
        let locked = tokio::time::timeout(PATIENCE, slot.lock_owned()).await;
        let mut slot = locked.map_err(|_| RepositoryError::UploadBusy { id: id.to_string() })?;
        if slot.is_none() {
            *slot = self.storage.resume(repository, id).await?;
        }
        if slot.is_none() {
            self.sessions.forget(repository, id);
            return Err(RepositoryError::UploadUnknown { id: id.to_string() });
        }
        Ok(Session { repositories: self.clone(), repository: repository.clone(), id: id.clone(), slot })
    }

    /// Closes an upload that no request holds; the next one takes it up from the storage.
    pub async fn put_down(&self, repository: &RepositoryName, id: &UploadId) {
        let slot = self.sessions.slot(repository, id);
        *slot.lock().await = None;
        self.sessions.forget(repository, id);
    }

    /// Some repository that has a blob, if that is quickly found.
    ///
    /// # Errors
    /// Of the storage.
    pub async fn holder(&self, digest: &Digest) -> Result<Option<RepositoryName>> {
        Ok(self.storage.holder(digest).await?)
    }

    /// Gives a repository a blob that another one has.
    ///
    /// # Errors
    /// Of the storage.
    pub async fn mount_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        from: &RepositoryName,
    ) -> Result<Mounted> {
        self.fence.announce([digest.clone()]).await;
        if self.storage.stat(&Key::blob(from, digest), digest).await?.is_none() {
            return Ok(Mounted::No);
        }
        self.storage.write_links(vec![(Key::blob(repository, digest), Bytes::new())]).await?;
        Ok(Mounted::Yes)
    }
}

impl Session {
    /// Its id.
    pub fn id(&self) -> &UploadId {
        &self.id
    }

    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.slot.as_ref().map_or(0, |upload| upload.size())
    }

    /// Appends the pieces.
    ///
    /// # Errors
    /// Of the storage; the next request takes the upload up as the storage has it. Where the disk is full, nothing of it stays.
    pub async fn append(&mut self, pieces: Vec<Bytes>) -> Result<()> {
        let upload = self.slot.as_mut().ok_or_else(|| unknown(&self.id))?;
        let Err(error) = upload.append(pieces).await else { return Ok(()) };
        *self.slot = None;
        if error.is_full()
            && let Err(left) = self.discard().await
        {
            tracing::warn!(id = %self.id, error = %errors::chain(&left), "discard an upload");
        }
        Err(error.into())
    }

    /// What has come so far and all that will be appended, to be read meanwhile; none where that can't be done.
    ///
    /// # Errors
    /// Of the storage.
    pub fn content(&self) -> Result<Option<File>> {
        let upload = self.slot.as_ref().ok_or_else(|| unknown(&self.id))?;
        Ok(upload.content()?)
    }

    /// Ends a request that leaves the upload unfinished.
    ///
    /// # Errors
    /// Of the storage.
    pub async fn pause(mut self) -> Result<()> {
        match self.slot.as_mut() {
            Some(upload) => Ok(upload.pause().await?),
            None => Ok(()),
        }
    }

    /// Makes it a blob of the repository, durably. Content of another digest is thrown away.
    ///
    /// # Errors
    /// [`RepositoryError::DigestMismatch`].
    pub async fn commit(mut self, digest: &Digest) -> Result<()> {
        let upload = self.slot.take().ok_or_else(|| unknown(&self.id))?;
        self.repositories.fence.announce([digest.clone()]).await;
        let committed = upload.commit(digest).await;
        self.repositories.sessions.forget(&self.repository, &self.id);
        committed.map_err(mismatch)?;
        let link = (Key::blob(&self.repository, digest), Bytes::new());
        Ok(self.repositories.storage.write_links(vec![link]).await?)
    }

    /// Throws it away.
    ///
    /// # Errors
    /// Of the storage.
    pub async fn cancel(mut self) -> Result<()> {
        self.discard().await
    }

    /// An upload that failed is taken up once more, to be thrown away; one that is gone already is no error.
    async fn discard(&mut self) -> Result<()> {
        let upload = match self.slot.take() {
            Some(upload) => Some(upload),
            None => self.repositories.storage.resume(&self.repository, &self.id).await?,
        };
        self.repositories.sessions.forget(&self.repository, &self.id);
        match upload {
            Some(upload) => Ok(upload.discard().await?),
            None => Ok(()),
        }
    }
}

fn unknown(id: &UploadId) -> RepositoryError {
    RepositoryError::UploadUnknown { id: id.to_string() }
}

fn mismatch(error: StorageError) -> RepositoryError {
    match error {
        StorageError::Blob(BlobError::Mismatch { expected, found }) => {
            RepositoryError::DigestMismatch { expected, found }
        }
        other => other.into(),
    }
}
