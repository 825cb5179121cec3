//! Blobs of a repository.

use crate::{Content, Key, Repositories, RepositoryError, RepositoryName, Result, Stat};
use oci::Digest;
use std::ops::Range;

impl Repositories {
    /// Size and age of a blob, which no sweep takes away for a while: who asks is about to name it in a manifest.
    ///
    /// # Errors
    /// [`RepositoryError::BlobUnknown`].
    pub async fn blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<Stat> {
        self.fence.announce([digest.clone()]).await;
        let stat = self.storage.stat(&Key::blob(repository, digest), digest).await?;
        stat.ok_or_else(|| unknown(repository, digest))
    }

    /// Opens a blob, or a part of it.
    ///
    /// # Errors
    /// [`RepositoryError::BlobUnknown`].
    pub async fn open_blob(
        &self,
        repository: &RepositoryName,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Content> {
        let content = self.storage.open(&Key::blob(repository, digest), digest, range).await?;
        content.ok_or_else(|| unknown(repository, digest))
    }

    /// Takes a blob away from a repository. The content stays until a sweep finds it unused.
    ///
    /// # Errors
    /// [`RepositoryError::BlobUnknown`].
    pub async fn delete_blob(&self, repository: &RepositoryName, digest: &Digest) -> Result<()> {
        let existed = self.storage.unlink(&Key::blob(repository, digest)).await?;
        if existed { Ok(()) } else { Err(unknown(repository, digest)) }
    }
}

fn unknown(repository: &RepositoryName, digest: &Digest) -> RepositoryError {
    RepositoryError::BlobUnknown { name: repository.clone(), digest: digest.clone() }
}
