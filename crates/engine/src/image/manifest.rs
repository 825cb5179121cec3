//! `manifest`: documents of registries, read and written without an image being here.

use crate::Services;
use errors::{Class, Error, Result};
use oci::{Digest, Platform, Reference};
use registry::{Credentials, Manifest, Purpose, Target};
use std::sync::Arc;

/// A manifest or index in a registry.
#[derive(Debug, Clone)]
pub struct Remote {
    /// The document.
    pub manifest: Manifest,
    /// What it can be run on.
    pub platforms: Vec<Platform>,
}

/// Reads a manifest or index.
///
/// # Errors
/// `NotFound` for what the registry does not have; `Unavailable` if it does not answer.
pub async fn manifest(
    services: &Arc<Services>,
    reference: &Reference,
    credentials: Option<Credentials>,
) -> Result<Remote> {
    let repository = services.registries().repository(reference, credentials, Purpose::Pull)?;
    let (manifest, platforms) = images::read_remote(&repository, reference).await?;
    Ok(Remote { manifest, platforms })
}

/// Writes an index under a tag, after what it lists: manifests of other repositories of the same registry come over with
/// their blobs.
///
/// # Errors
/// `Invalid` for manifests of another registry; `NotFound` for what is not there.
pub async fn push_index(
    services: &Arc<Services>,
    target: &Reference,
    media_type: &str,
    index: &[u8],
    children: &[Reference],
    credentials: Option<Credentials>,
) -> Result<Digest> {
    let repository = services.registries().repository(target, credentials.clone(), Purpose::Push)?;
    for child in children.iter().filter(|child| !child.same_repository(target)) {
        if child.domain() != target.domain() {
            let message = format!(
                "cannot use source images from a different registry than the target image: {} != {}",
                child.domain(),
                target.domain()
            );
            return Err(Error::new(Class::Invalid, message));
        }
        let source = services.registries().repository(child, credentials.clone(), Purpose::Pull)?;
        images::bring_over(&source, child, &repository).await?;
    }
    let tag = Target::Tag(target.tag().unwrap_or(oci::DEFAULT_TAG).to_owned());
    repository.put_manifest(&tag, media_type, index).await?;
    Ok(images::digest_of_bytes(index))
}
