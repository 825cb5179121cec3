//! Manifests that say something about another one ("Listing Referrers").

use crate::key::digest_of;
use crate::{Descriptor, Folder, Key, Repositories, RepositoryName, Result, StorageError};
use oci::Digest;

impl Repositories {
    /// The manifests with this subject, by digest; with a filter, those of this kind of artifact. A subject that does not exist
    /// may have some, and a repository that does not exist has none.
    ///
    /// # Errors
    /// Of the storage.
    pub async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Digest,
        artifact_type: Option<&str>,
    ) -> Result<Vec<Descriptor>> {
        let links = self.storage.links(&Folder::referrers(repository, subject)).await?;
        let mut digests: Vec<_> =
            links.into_iter().flatten().filter_map(|link| digest_of(&link.name)).collect();
        digests.sort_unstable();
        let mut found = Vec::new();
        for digest in digests {
            let key = Key::referrer(repository, subject, &digest);
            let Some(record) = self.storage.link(&key).await? else { continue };
            // A crash in the midst of a push or a deletion leaves one of the two.
            if self.storage.stat(&Key::manifest(repository, &digest), &digest).await?.is_none() {
                continue;
            }
            let descriptor: Descriptor = serde_json::from_slice(&record)
                .map_err(|_| StorageError::Damaged { key: key.to_string() })?;
            if artifact_type.is_none_or(|wanted| descriptor.artifact_type.as_deref() == Some(wanted)) {
                found.push(descriptor);
            }
        }
        Ok(found)
    }
}
