//! Manifests and tags of other registries.

use super::checked::Age;
use super::{Mirror, Place};
use crate::{Page, Put, RepositoryError, RepositoryName, Result, Stored, Tag, Target};
use errors::{Class, Classified};
use oci::Digest;
use registry::RegistryError;
use std::time::Duration;

/// An upstream that did not answer is left alone for so long, or for the time of a tag if that is shorter.
const PAUSE: Duration = Duration::from_secs(30);

/// A manifest, from here or from there.
#[derive(Debug, Clone)]
pub struct Mirrored {
    /// The manifest.
    pub stored: Stored,
    /// Whether its upstream did not answer, so that the tag may mean something else by now.
    pub stale: bool,
}

impl Mirror {
    /// The manifest of that tag or digest.
    ///
    /// # Errors
    /// [`RepositoryError::Upstream`], and those of the repositories here.
    pub async fn manifest(
        &self,
        name: &RepositoryName,
        namespace: Option<&str>,
        target: &Target,
    ) -> Result<Mirrored> {
        let place = self.place(name, namespace)?;
        match target {
            Target::Tag(tag) => self.tagged(&place, tag).await,
            Target::Digest(digest) => {
                let stored = match self.known(&place, target).await? {
                    Some(stored) => stored,
                    None => {
                        let wanted = registry::Target::Digest(digest.clone());
                        self.keep(&place, place.remote.manifest(&wanted).await?, None).await?
                    }
                };
                Ok(Mirrored { stored, stale: false })
            }
        }
    }

    /// Tags, as the upstream has them; those that are here where it does not answer.
    ///
    /// # Errors
    /// As [`Mirror::manifest`].
    pub async fn tags(
        &self,
        name: &RepositoryName,
        namespace: Option<&str>,
        after: Option<&str>,
        limit: Option<usize>,
    ) -> Result<Page<Tag>> {
        let place = self.place(name, namespace)?;
        match place.remote.tags().await {
            Ok(tags) => {
                let tags = tags.iter().filter_map(|tag| tag.parse().ok()).collect();
                Ok(Page::of(tags, Tag::as_str, after, limit))
            }
            Err(error) if error.class() == Class::Unavailable => {
                self.inner.repositories.tags(&place.local, after, limit).await
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn tagged(&self, place: &Place, tag: &Tag) -> Result<Mirrored> {
        let known = self.known(place, &Target::Tag(tag.clone())).await?;
        let (checked, ttl) = (&self.inner.checked, self.inner.ttl);
        if let Some(stored) = &known {
            let age = checked.age(&place.local, tag);
            if age != Age::Unknown {
                return Ok(Mirrored { stored: stored.clone(), stale: age == Age::Stale });
            }
        }
        let asked = match self.ask(place, tag, known.as_ref().map(|stored| &stored.digest)).await {
            Ok(None) => Ok(known.clone()),
            Ok(Some(manifest)) => Ok(Some(self.keep(place, manifest, Some(tag)).await?)),
            Err(error) => Err(error),
        };
        match (asked, known) {
            (Ok(Some(stored)), _) => {
                checked.note(&place.local, tag, Age::Fresh, ttl);
                Ok(Mirrored { stored, stale: false })
            }
            (Err(error), Some(stored)) if error.class() == Class::Unavailable => {
                tracing::warn!(name = %place.local, %tag, error = %errors::chain(&error), "an upstream does not answer");
                checked.note(&place.local, tag, Age::Stale, PAUSE.min(ttl));
                Ok(Mirrored { stored, stale: true })
            }
            (Err(error), _) => Err(error.into()),
            (Ok(None), _) => Err(unknown(place, tag)),
        }
    }

    /// What a tag means there; none: what is known. First without the manifest: registries count those that they send.
    async fn ask(
        &self,
        place: &Place,
        tag: &Tag,
        known: Option<&Digest>,
    ) -> Result<Option<registry::Manifest>, RegistryError> {
        let wanted = registry::Target::Tag(tag.to_string());
        if let Some(known) = known {
            match place.remote.head_manifest(&wanted).await {
                Ok(Some((digest, ..))) if digest == *known => return Ok(None),
                Err(error) if error.class() == Class::Unavailable => return Err(error),
                // It is another one, or gone, or the registry knows no such question: the manifest itself tells.
                _ => {}
            }
        }
        place.remote.manifest(&wanted).await.map(Some)
    }

    /// What is here; none: nothing.
    async fn known(&self, place: &Place, target: &Target) -> Result<Option<Stored>> {
        match self.inner.repositories.manifest(&place.local, target).await {
            Ok(stored) => Ok(Some(stored)),
            Err(RepositoryError::ManifestUnknown { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn keep(&self, place: &Place, manifest: registry::Manifest, tag: Option<&Tag>) -> Result<Stored> {
        let registry::Manifest { media_type, digest, bytes } = manifest;
        let stored = Stored { content: bytes.into(), digest, media_type };
        let put = Put {
            content: stored.content.clone(),
            digest: stored.digest.clone(),
            media_type: Some(stored.media_type.clone()),
            tags: tag.into_iter().cloned().collect(),
        };
        self.inner.repositories.keep_manifest(&place.local, put).await?;
        Ok(stored)
    }
}

fn unknown(place: &Place, tag: &Tag) -> RepositoryError {
    RepositoryError::ManifestUnknown { name: place.local.clone(), target: Target::Tag(tag.clone()) }
}
