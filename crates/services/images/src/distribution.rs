//! What a registry says of a name, without pulling it.

use crate::pull::{digest_of, platform_of};
use crate::{ImageError, MAX_CONFIG, Result};
use oci::{Digest, ImageConfig, ImageIndex, ImageManifest, Platform, Reference, media};
use registry::{Manifest, Repository, Target};
use serde::de::DeserializeOwned;

/// What a registry says of a name.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// Of the manifest or index.
    pub media_type: String,
    /// Of the manifest or index.
    pub digest: Digest,
    /// Of the manifest or index, in bytes.
    pub size: u64,
    /// What it can be run on.
    pub platforms: Vec<Platform>,
}

/// Asks the registry.
///
/// # Errors
/// [`ImageError::Registry`], [`ImageError::BadDocument`].
pub async fn ask(repository: &Repository, reference: &Reference) -> Result<Distribution> {
    let manifest = repository.manifest(&target(reference)).await?;
    let platforms = platforms(repository, &manifest).await?;
    let size = manifest.bytes.len() as u64;
    Ok(Distribution { media_type: manifest.media_type, digest: manifest.digest, size, platforms })
}

/// What a name asks a registry for.
pub(crate) fn target(reference: &Reference) -> Target {
    match (reference.digest(), reference.tag()) {
        (Some(digest), _) => Target::Digest(digest.clone()),
        (None, tag) => Target::Tag(tag.unwrap_or(oci::DEFAULT_TAG).to_owned()),
    }
}

async fn platforms(repository: &Repository, manifest: &Manifest) -> Result<Vec<Platform>> {
    if media::is_index(&manifest.media_type) {
        let index: ImageIndex = parse(&manifest.bytes, || format!("index {}", manifest.digest))?;
        return Ok(index.manifests().iter().filter_map(platform_of).collect());
    }
    let document: ImageManifest = parse(&manifest.bytes, || format!("manifest {}", manifest.digest))?;
    if !media::is_config(document.config().media_type().as_ref()) {
        return Ok(Vec::new());
    }
    let digest = digest_of(document.config())?;
    let config: ImageConfig =
        parse(&repository.blob(&digest, MAX_CONFIG).await?, || format!("config {digest}"))?;
    Ok(vec![config.platform()])
}

/// A document, or what it is called if it is none.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8], name: impl Fn() -> String) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|source| ImageError::BadDocument { name: name(), source })
}
