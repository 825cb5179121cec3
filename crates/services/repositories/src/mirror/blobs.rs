//! Blobs of other registries.

use super::Mirror;
use crate::storage::cut;
use crate::{Content, RepositoryError, RepositoryName, Result};
use oci::Digest;
use std::ops::Range;

impl Mirror {
    /// Bytes of a blob.
    ///
    /// # Errors
    /// [`RepositoryError::BlobUnknown`], [`RepositoryError::Upstream`].
    pub async fn blob_size(
        &self,
        name: &RepositoryName,
        namespace: Option<&str>,
        digest: &Digest,
    ) -> Result<u64> {
        let place = self.place(name, namespace)?;
        match self.inner.repositories.blob(&place.local, digest).await {
            Ok(stat) => return Ok(stat.size),
            Err(RepositoryError::BlobUnknown { .. }) => {}
            Err(error) => return Err(error),
        }
        let unknown = || RepositoryError::BlobUnknown { name: name.clone(), digest: digest.clone() };
        match place.remote.blob_size(digest).await? {
            Some(Some(size)) => Ok(size),
            Some(None) => self.inner.flights.join(&self.inner.repositories, &place, digest).size().await,
            None => Err(unknown()),
        }
    }

    /// Opens a blob, or a part of it. What is not here comes as it arrives; who comes later reads it from its beginning.
    ///
    /// # Errors
    /// As [`Mirror::blob_size`].
    pub async fn open_blob(
        &self,
        name: &RepositoryName,
        namespace: Option<&str>,
        digest: &Digest,
        range: Option<Range<u64>>,
    ) -> Result<Content> {
        let place = self.place(name, namespace)?;
        match self.inner.repositories.open_blob(&place.local, digest, range.clone()).await {
            Err(RepositoryError::BlobUnknown { .. }) => {}
            other => return other,
        }
        let flight = self.inner.flights.join(&self.inner.repositories, &place, digest);
        let size = flight.size().await?;
        let range = cut(range, size);
        Ok(Content { size, body: flight.body(range.clone()), range })
    }
}
