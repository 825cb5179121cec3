//! The documents of an image in a registry: index, manifest, config. Those that are among the blobs are not fetched again.

use super::{Pull, choose};
use crate::distribution::{parse, target};
use crate::records::BlobRecord;
use crate::sweep::Pin;
use crate::{ImageError, Images, MAX_CONFIG, Result};
use blobs::{BlobError, Blobs};
use oci::{Descriptor, Digest, ImageConfig, ImageIndex, ImageManifest, media};
use registry::{Manifest, Repository, Target};

/// Indexes within indexes.
const MAX_DEPTH: usize = 4;
/// A manifest, as large as registries take it.
const MAX_MANIFEST: u64 = 4 << 20;

/// What a name means in a registry.
#[derive(Debug)]
pub(super) struct Documents {
    /// Digest of what the name itself means.
    pub(super) digest: Digest,
    /// That, if it is an index.
    pub(super) index: Option<BlobRecord>,
    /// The image's manifest.
    pub(super) manifest: Descriptor,
    /// The layers' blobs, lowest first.
    pub(super) layers: Vec<BlobRecord>,
    /// The image's id: digest of its config.
    pub(super) id: Digest,
    /// The config, byte for byte.
    pub(super) document: Vec<u8>,
    /// The same, read.
    pub(super) config: ImageConfig,
    /// Manifest and indexes, byte for byte.
    pub(super) bytes: Vec<Vec<u8>>,
    /// Keep what was found among the blobs.
    pub(super) pins: Vec<Pin>,
}

impl Images {
    pub(super) async fn documents(&self, repository: &Repository, pull: &Pull) -> Result<Documents> {
        let name = pull.reference.familiar();
        let asked = target(&pull.reference);
        // What is here is not asked for, if it is known that this repository has it.
        let by_digest = pull.reference.digest().map(|digest| pull.reference.with_digest(digest.clone()));
        let mut found = match by_digest {
            Some(name) if self.index().names.contains_key(&name) => self.manifest(repository, &asked).await?,
            _ => repository.manifest(&asked).await?,
        };
        let (digest, mut index, mut bytes) = (found.digest.clone(), None, Vec::new());
        for _ in 0..MAX_DEPTH {
            if !media::is_index(&found.media_type) {
                break;
            }
            let document: ImageIndex = parse(&found.bytes, || format!("the index of {name}"))?;
            let chosen = digest_of(choose::manifest(&document, pull.platform.as_ref(), &name)?)?;
            // Of nested ones the outermost is what the name means; the inner ones are kept beside it by nobody.
            index.get_or_insert_with(|| BlobRecord {
                digest: found.digest.clone(),
                size: found.bytes.len() as u64,
                media_type: found.media_type.clone(),
            });
            bytes.push(found.bytes);
            found = self.manifest(repository, &Target::Digest(chosen)).await?;
        }
        if found.media_type == media::DOCKER_SCHEMA1 {
            return Err(ImageError::Schema1 { name });
        }
        if !media::is_manifest(&found.media_type) {
            return Err(ImageError::NotAnImage { name, what: "manifest", media_type: found.media_type });
        }
        let manifest: ImageManifest = parse(&found.bytes, || format!("the manifest of {name}"))?;
        let layers = check(&manifest, &name)?;
        let descriptor = descriptor(&found)?;
        bytes.push(found.bytes);
        let id = digest_of(manifest.config())?;
        let pins: Vec<Pin> =
            layers.iter().map(|blob| &blob.digest).chain([&id]).map(|digest| self.pin(digest)).collect();
        let document = self.config(repository, &id, manifest.config().size()).await?;
        let config = parse(&document, || format!("config {id}"))?;
        Ok(Documents { digest, index, manifest: descriptor, layers, id, document, config, bytes, pins })
    }

    /// A manifest, from here if it is known by its digest and here.
    async fn manifest(&self, repository: &Repository, target: &Target) -> Result<Manifest> {
        if let Target::Digest(digest) = target {
            let (blobs, digest) = (self.inner.blobs.clone(), digest.clone());
            let known = offload::blocking(move || {
                let bytes = known(&blobs, &digest, MAX_MANIFEST)?;
                Some(Manifest { media_type: media::of_document(&bytes)?, digest, bytes })
            });
            if let Some(known) = known.await {
                return Ok(known);
            }
        }
        Ok(repository.manifest(target).await?)
    }

    /// The config's bytes.
    async fn config(&self, repository: &Repository, id: &Digest, size: u64) -> Result<Vec<u8>> {
        let (blobs, digest) = (self.inner.blobs.clone(), id.clone());
        if let Some(known) = offload::blocking(move || known(&blobs, &digest, MAX_CONFIG)).await {
            return Ok(known);
        }
        Ok(repository.blob(id, size.min(MAX_CONFIG)).await?)
    }
}

/// A document that is here or beside. One that is damaged makes room for the one that will be fetched.
fn known(blobs: &Blobs, digest: &Digest, limit: u64) -> Option<Vec<u8>> {
    blobs.obtain(digest).ok()?;
    match blobs.read(digest, limit) {
        Ok(bytes) => Some(bytes),
        Err(BlobError::Mismatch { .. }) => {
            // Where that fails, the blob stays a finding of the next check.
            let _ = blobs.remove(digest);
            None
        }
        Err(_) => None,
    }
}

/// Reads bytes as each of the documents that a registry may send, and decides all that is decided before anything else
/// is fetched. For those who want to know whether that holds for any bytes.
#[doc(hidden)]
pub fn read_documents(bytes: &[u8]) {
    if let Ok(index) = serde_json::from_slice::<ImageIndex>(bytes) {
        let platforms = ["linux/amd64", "linux/arm/v6"].map(|text| text.parse().ok());
        for platform in platforms.into_iter().chain([None]) {
            let _ = choose::manifest(&index, platform.as_ref(), "any").map(digest_of);
        }
    }
    if let Ok(manifest) = serde_json::from_slice::<ImageManifest>(bytes) {
        let _ = (check(&manifest, "any"), digest_of(manifest.config()));
    }
}

/// The layers of a manifest, if it is one of an image.
fn check(manifest: &ImageManifest, name: &str) -> Result<Vec<BlobRecord>> {
    let refuse = |what, descriptor: &Descriptor| {
        Err(ImageError::NotAnImage {
            name: name.to_owned(),
            what,
            media_type: descriptor.media_type().to_string(),
        })
    };
    if !media::is_config(manifest.config().media_type().as_ref()) {
        return refuse("config", manifest.config());
    }
    let mut layers = Vec::new();
    for layer in manifest.layers() {
        let media_type = layer.media_type().to_string();
        if !media::is_layer(&media_type) {
            return refuse("layer", layer);
        }
        layers.push(BlobRecord { digest: digest_of(layer)?, size: layer.size(), media_type });
    }
    Ok(layers)
}

fn descriptor(manifest: &Manifest) -> Result<Descriptor> {
    let value = serde_json::json!({
        "mediaType": manifest.media_type, "digest": manifest.digest, "size": manifest.bytes.len(),
    });
    serde_json::from_value(value)
        .map_err(|source| ImageError::BadDocument { name: format!("manifest {}", manifest.digest), source })
}

/// The digest in a descriptor, by one of the algorithms that we know.
pub(crate) fn digest_of(descriptor: &Descriptor) -> Result<Digest> {
    let text = descriptor.digest().to_string();
    text.parse().map_err(|source| ImageError::BadDigest { source })
}
