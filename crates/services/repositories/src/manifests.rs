//! Manifests of a repository: stored byte for byte, found by digest or tag.

use crate::{
    Folder, Key, MAX_MANIFEST, Manifest, Repositories, RepositoryError, RepositoryName, Result, Tag, Target,
};
use bytes::Bytes;
use oci::Digest;

/// A manifest that somebody wants to store.
#[derive(Debug)]
pub struct Put {
    /// The document.
    pub content: Bytes,
    /// Its digest.
    pub digest: Digest,
    /// The media type that its sender calls it, without parameters.
    pub media_type: Option<String>,
    /// Tags to name it.
    pub tags: Vec<Tag>,
}

/// A manifest that was stored.
#[derive(Debug, PartialEq, Eq)]
pub struct Pushed {
    /// The manifest that it says something about.
    pub subject: Option<Digest>,
}

/// A manifest of a repository.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The document.
    pub content: Bytes,
    /// Its digest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
}

impl Repositories {
    /// The manifest of that tag or digest.
    ///
    /// # Errors
    /// [`RepositoryError::ManifestUnknown`].
    pub async fn manifest(&self, repository: &RepositoryName, target: &Target) -> Result<Stored> {
        let unknown = || unknown(repository, target);
        let digest = match target {
            Target::Digest(digest) => digest.clone(),
            Target::Tag(tag) => self.tagged(repository, tag).await?.ok_or_else(unknown)?,
        };
        let link = Key::manifest(repository, &digest);
        let found = self.storage.read(&link, &digest, MAX_MANIFEST as u64).await?;
        let (record, content) = found.ok_or_else(unknown)?;
        let media_type = match std::str::from_utf8(&record) {
            Ok("") | Err(_) => Manifest::parse(&content, None)?.media_type,
            Ok(recorded) => recorded.to_owned(),
        };
        Ok(Stored { content, digest, media_type })
    }

    /// Stores a manifest, whose parts the repository must have, and names it by its tags.
    ///
    /// # Errors
    /// [`RepositoryError::ReferencesUnknown`], and those of [`Manifest::parse`].
    pub async fn put_manifest(&self, repository: &RepositoryName, put: Put) -> Result<Pushed> {
        let manifest = Manifest::parse(&put.content, put.media_type.as_deref())?;
        let named = manifest.references().chain([&put.digest]).cloned();
        self.fence.announce(named).await;
        self.check_references(repository, &manifest).await?;
        self.store_manifest(repository, put, manifest).await
    }

    /// The same for one whose parts come later, if anybody wants them.
    pub(crate) async fn keep_manifest(&self, repository: &RepositoryName, put: Put) -> Result<Pushed> {
        let manifest = Manifest::parse(&put.content, put.media_type.as_deref())?;
        self.fence.announce([put.digest.clone()]).await;
        self.store_manifest(repository, put, manifest).await
    }

    async fn store_manifest(
        &self,
        repository: &RepositoryName,
        put: Put,
        manifest: Manifest,
    ) -> Result<Pushed> {
        let size = put.content.len() as u64;
        // What the document itself says need not be recorded.
        let said = Manifest::parse(&put.content, None).is_ok_and(|own| own.media_type == manifest.media_type);
        let record = if said { Bytes::new() } else { manifest.media_type.clone().into() };
        self.storage.put(&put.digest, put.content).await?;
        let mut links = vec![(Key::manifest(repository, &put.digest), record)];
        if let Some(subject) = &manifest.subject {
            let descriptor = manifest.descriptor(&put.digest, size);
            let descriptor = serde_json::to_vec(&descriptor)
                .map_err(|source| RepositoryError::ManifestMalformed { source })?;
            links.push((Key::referrer(repository, subject, &put.digest), descriptor.into()));
        }
        let tag = |tag: &Tag| (Key::tag(repository, tag), put.digest.as_str().to_owned().into());
        links.extend(put.tags.iter().map(tag));
        self.storage.write_links(links).await?;
        Ok(Pushed { subject: manifest.subject })
    }

    async fn check_references(&self, repository: &RepositoryName, manifest: &Manifest) -> Result<()> {
        let blobs = manifest.blobs.iter().map(|digest| (Key::blob(repository, digest), digest));
        let manifests = manifest.manifests.iter().map(|digest| (Key::manifest(repository, digest), digest));
        let mut missing = Vec::new();
        for (link, digest) in blobs.chain(manifests) {
            if self.storage.stat(&link, digest).await?.is_none() {
                missing.push(digest.clone());
            }
        }
        if missing.is_empty() {
            Ok(())
        } else {
            Err(RepositoryError::ReferencesUnknown { name: repository.clone(), missing })
        }
    }

    /// Deletes a tag; or a manifest, with the tags that name it. The content stays until a sweep finds it unused.
    ///
    /// # Errors
    /// [`RepositoryError::ManifestUnknown`].
    pub async fn delete_manifest(&self, repository: &RepositoryName, target: &Target) -> Result<()> {
        let digest = match target {
            Target::Tag(tag) => {
                let existed = self.storage.unlink(&Key::tag(repository, tag)).await?;
                return if existed { Ok(()) } else { Err(unknown(repository, target)) };
            }
            Target::Digest(digest) => digest,
        };
        let stored = self.manifest(repository, target).await?;
        for link in self.storage.links(&Folder::tags(repository)).await?.unwrap_or_default() {
            let Ok(tag) = link.name.parse::<Tag>() else { continue };
            if self.tagged(repository, &tag).await?.as_ref() == Some(digest) {
                self.storage.unlink(&Key::tag(repository, &tag)).await?;
            }
        }
        if let Some(subject) =
            Manifest::parse(&stored.content, None).ok().and_then(|manifest| manifest.subject)
        {
            self.storage.unlink(&Key::referrer(repository, &subject, digest)).await?;
        }
        self.storage.unlink(&Key::manifest(repository, digest)).await?;
        Ok(())
    }
}

fn unknown(repository: &RepositoryName, target: &Target) -> RepositoryError {
    RepositoryError::ManifestUnknown { name: repository.clone(), target: target.clone() }
}
