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
    let (manifest, platforms) = read_remote(repository, reference).await?;
    let size = manifest.bytes.len() as u64;
    Ok(Distribution { media_type: manifest.media_type, digest: manifest.digest, size, platforms })
}

/// A manifest or index of a registry, and what it can be run on.
///
/// # Errors
/// [`ImageError::Registry`], [`ImageError::BadDocument`].
pub async fn read_remote(
    repository: &Repository,
    reference: &Reference,
) -> Result<(Manifest, Vec<Platform>)> {
    let manifest = repository.manifest(&target(reference)).await?;
    let platforms = platforms(repository, &manifest).await?;
    Ok((manifest, platforms))
}

/// Makes a repository have a manifest of another one of the same registry, with its blobs.
///
/// # Errors
/// [`ImageError::Registry`]; [`ImageError::NotAnImage`] for an index, which lists further ones.
pub async fn bring_over(from: &Repository, reference: &Reference, to: &Repository) -> Result<()> {
    let manifest = from.manifest(&target(reference)).await?;
    if !media::is_manifest(&manifest.media_type) {
        let (name, what) = (reference.familiar(), "manifest");
        return Err(ImageError::NotAnImage { name, what, media_type: manifest.media_type });
    }
    let document: ImageManifest = parse(&manifest.bytes, || format!("manifest {}", manifest.digest))?;
    for blob in document.layers().iter().chain([document.config()]) {
        to.mount(&digest_of(blob)?, reference.path()).await?;
    }
    to.put_manifest(&Target::Digest(manifest.digest), &manifest.media_type, &manifest.bytes).await?;
    Ok(())
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
