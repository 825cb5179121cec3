//! Documents that a registry stores as manifests: what they name, and whether they can be stored at all.

use crate::{RepositoryError, Result};
use oci::Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The largest manifest that is accepted, in bytes ("Pushing Manifests": at least 4 megabytes should be).
pub const MAX_MANIFEST: usize = 4 << 20;

/// A descriptor as the list of referrers holds it (image specification, "Content Descriptors").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Of the content.
    pub media_type: String,
    /// Of the content.
    pub digest: Digest,
    /// Of the content, in bytes.
    pub size: u64,
    /// The kind of artifact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Of the manifest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// What a registry has to know of a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// Its own media type.
    pub media_type: String,
    /// Blobs that the repository must have: config and layers.
    pub blobs: Vec<Digest>,
    /// Manifests that the repository must have.
    pub manifests: Vec<Digest>,
    /// The manifest that it says something about, which need not exist.
    pub subject: Option<Digest>,
    /// The kind of artifact, as referrers are listed with it.
    pub artifact_type: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: Option<u64>,
    media_type: Option<String>,
    artifact_type: Option<String>,
    config: Option<Reference>,
    layers: Option<Vec<Reference>>,
    blobs: Option<Vec<Reference>>,
    manifests: Option<Vec<Reference>>,
    subject: Option<Reference>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    #[serde(default)]
    media_type: String,
    digest: Digest,
    #[serde(default)]
    urls: Option<Vec<String>>,
}

impl Reference {
    /// Layers that must not be pushed, or that are fetched from elsewhere (image specification, "Non-Distributable Layers").
    fn is_elsewhere(&self) -> bool {
        self.media_type.contains(".nondistributable.")
            || self.media_type.contains(".foreign.")
            || self.urls.as_ref().is_some_and(|urls| !urls.is_empty())
    }
}

impl Manifest {
    /// Reads a document. `declared` is the media type that its sender calls it, without parameters.
    ///
    /// # Errors
    /// [`RepositoryError::ManifestTooLarge`], [`RepositoryError::ManifestMalformed`], [`RepositoryError::ManifestInvalid`].
    pub fn parse(bytes: &[u8], declared: Option<&str>) -> Result<Self> {
        if bytes.len() > MAX_MANIFEST {
            return Err(RepositoryError::ManifestTooLarge { limit: MAX_MANIFEST });
        }
        let document: Document =
            serde_json::from_slice(bytes).map_err(|source| RepositoryError::ManifestMalformed { source })?;
        document.check(declared)?;
        let media_type = document.media_type(declared);
        let artifact_type = document.artifact_type.filter(|kind| !kind.is_empty());
        let of_config = document.config.as_ref().map(|config| config.media_type.clone());
        let parts = [document.layers, document.blobs].into_iter().flatten().flatten();
        let parts = document.config.into_iter().chain(parts).filter(|part| !part.is_elsewhere());
        Ok(Self {
            media_type,
            blobs: distinct(parts),
            manifests: distinct(document.manifests.into_iter().flatten()),
            subject: document.subject.map(|subject| subject.digest),
            artifact_type: artifact_type.or(of_config),
            annotations: document.annotations.unwrap_or_default(),
        })
    }

    /// All content that it names.
    pub fn references(&self) -> impl Iterator<Item = &Digest> {
        self.blobs.iter().chain(&self.manifests)
    }

    /// As the list of referrers holds it.
    pub(crate) fn descriptor(&self, digest: &Digest, size: u64) -> Descriptor {
        Descriptor {
            media_type: self.media_type.clone(),
            digest: digest.clone(),
            size,
            artifact_type: self.artifact_type.clone(),
            annotations: self.annotations.clone(),
        }
    }
}

impl Document {
    fn check(&self, declared: Option<&str>) -> Result<()> {
        let invalid = |reason: String| Err(RepositoryError::ManifestInvalid { reason });
        match self.schema_version {
            Some(2) => {}
            Some(1) => {
                return invalid(
                    "has schema version 1, which is no longer supported: build the image anew".into(),
                );
            }
            _ => return invalid("has no schemaVersion 2".into()),
        }
        if let (Some(own), Some(declared)) = (&self.media_type, declared)
            && own != declared
        {
            return invalid(format!("calls itself {own}, but was sent as {declared}"));
        }
        let of_image = self.config.is_some() || self.layers.is_some() || self.blobs.is_some();
        let media_type = declared.or(self.media_type.as_deref());
        match (of_image, self.manifests.is_some()) {
            // Which of the two a client sees would depend on the client.
            (true, true) => invalid("is both an image and an index".into()),
            (true, false) if media_type.is_some_and(oci::media::is_index) => {
                invalid("is an image, but was sent as an index".into())
            }
            (false, true) if media_type.is_some_and(oci::media::is_manifest) => {
                invalid("is an index, but was sent as an image".into())
            }
            (false, false) if self.artifact_type.is_none() && self.subject.is_none() => {
                invalid("has neither config, layers nor manifests".into())
            }
            _ if media_type.is_some_and(oci::media::is_manifest) && self.config.is_none() => {
                invalid("has no config".into())
            }
            _ => Ok(()),
        }
    }

    fn media_type(&self, declared: Option<&str>) -> String {
        let kind = if self.manifests.is_some() { oci::media::INDEX } else { oci::media::MANIFEST };
        self.media_type.as_deref().or(declared).unwrap_or(kind).to_owned()
    }
}

/// Each once.
fn distinct(references: impl Iterator<Item = Reference>) -> Vec<Digest> {
    let mut digests: Vec<_> = references.map(|reference| reference.digest).collect();
    digests.sort_unstable();
    digests.dedup();
    digests
}
