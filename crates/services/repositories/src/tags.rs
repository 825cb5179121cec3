//! Tags of a repository.

use crate::{Folder, Key, Page, Repositories, RepositoryError, RepositoryName, Result, StorageError, Tag};
use oci::Digest;

impl Repositories {
    /// What a tag names; none: there is no such tag.
    pub(crate) async fn tagged(&self, repository: &RepositoryName, tag: &Tag) -> Result<Option<Digest>> {
        let key = Key::tag(repository, tag);
        let Some(record) = self.storage.link(&key).await? else { return Ok(None) };
        let digest = std::str::from_utf8(&record).ok().and_then(|text| text.trim().parse().ok());
        let damaged = || StorageError::Damaged { key: key.to_string() };
        Ok(Some(digest.ok_or_else(damaged)?))
    }

    /// Tags in the order of their bytes: at most `limit` of those behind `after`.
    ///
    /// # Errors
    /// [`RepositoryError::NameUnknown`] for a repository that has nothing.
    pub async fn tags(
        &self,
        repository: &RepositoryName,
        after: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Page<Tag>> {
        let links = match self.storage.links(&Folder::tags(repository)).await? {
            Some(links) => links,
            None if self.exists(repository).await? => Vec::new(),
            None => return Err(RepositoryError::NameUnknown { name: repository.clone() }),
        };
        let tags = links.into_iter().filter_map(|link| link.name.parse().ok()).collect();
        Ok(Page::of(tags, Tag::as_str, after, limit))
    }

    /// Whether the repository has, or had, any blob or manifest.
    async fn exists(&self, repository: &RepositoryName) -> Result<bool> {
        for folder in [Folder::manifests(repository), Folder::blobs(repository)] {
            if self.storage.links(&folder).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
