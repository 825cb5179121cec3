//! One blob from where the image that needs it came from, without the rest of the image.

use super::Surroundings;
use crate::records::BlobRecord;
use crate::{ImageError, Images, Result};
use blobs::Expected;
use oci::{Digest, Reference};
use registry::{Repository, Target};

impl Images {
    /// Fetches a blob from the first of `names` that has it, in the place of what is here. Says from which.
    ///
    /// # Errors
    /// That of the last name; [`ImageError::NoOrigin`] if there is none.
    pub(super) async fn refetch(
        &self,
        digest: &Digest,
        names: &[Reference],
        surroundings: &Surroundings<'_>,
    ) -> Result<Reference> {
        let mut failed = ImageError::NoOrigin { blob: digest.clone() };
        for name in names {
            let fetched = match (surroundings.repository)(name) {
                Ok(repository) => self.refetch_from(&repository, digest).await,
                Err(error) => Err(error.into()),
            };
            match fetched {
                Ok(()) => return Ok(name.clone()),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    async fn refetch_from(&self, repository: &Repository, digest: &Digest) -> Result<()> {
        let index = self.index();
        let of_layer =
            index.layers.values().flat_map(|layer| &layer.blobs).find(|blob| blob.digest == *digest);
        let is_config = index.images.contains_key(digest) || index.unreadable.contains_key(digest);
        let bytes = match of_layer {
            Some(blob) => return self.refetch_layer(repository, blob).await,
            None if is_config => repository.blob(digest, crate::MAX_CONFIG).await?,
            None => repository.manifest(&Target::Digest(digest.clone())).await?.bytes,
        };
        let (blobs, digest) = (self.inner.blobs.clone(), digest.clone());
        offload::blocking(move || {
            let mut ingest = blobs.ingest_as(&digest)?;
            ingest.append(&bytes)?;
            ingest.commit(Expected { digest: Some(digest), size: None })?;
            Ok(blobs.sync()?)
        })
        .await
    }

    async fn refetch_layer(&self, repository: &Repository, blob: &BlobRecord) -> Result<()> {
        let mut partial = self.partial(blob).await?;
        let mut download = repository.download(&blob.digest, Some(blob.size), partial.size());
        while let Some(piece) = download.piece().await? {
            partial = offload::blocking(move || partial.append(&piece).map(|()| partial)).await?;
        }
        let (blobs, blob) = (self.inner.blobs.clone(), blob.clone());
        offload::blocking(move || {
            let expected = Expected { digest: Some(blob.digest.clone()), size: Some(blob.size) };
            partial.commit(&expected)?;
            Ok(blobs.sync()?)
        })
        .await
    }
}
