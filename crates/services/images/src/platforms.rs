//! The platforms that a name stands for: those that are here, and those that its index lists beside them.

use crate::distribution::parse;
use crate::index::Index;
use crate::manifest::descriptor;
use crate::pull::{digest_of, platform_of};
use crate::records::{BlobRecord, NameRecord};
use crate::{Image, Images, Result};
use oci::{Digest, ImageIndex, Platform};
use std::sync::Arc;

/// An index is never larger.
const MAX_INDEX: u64 = 4 << 20;

/// One manifest of an image's name.
#[derive(Debug, Clone)]
pub struct PlatformManifest {
    /// Its descriptor (OCI image specification, "Content Descriptors").
    pub descriptor: serde_json::Value,
    /// Of its bytes.
    pub digest: Digest,
    /// What it is for; none: it is no image, but describes one.
    pub platform: Option<Platform>,
    /// The image, if it is here.
    pub image: Option<Arc<Image>>,
    /// Bytes of its blobs that are here.
    pub content: u64,
    /// The manifest that it describes, where it is an attestation.
    pub describes: Option<Digest>,
}

impl Images {
    /// All manifests behind the names of `image`: its own, and those of the index that it came by. Reads the disk, on the pool
    /// for blocking work.
    ///
    /// # Errors
    /// [`crate::ImageError::BadDocument`] for a damaged index.
    pub async fn platforms(&self, image: &Image) -> Result<Vec<PlatformManifest>> {
        let (this, image) = (self.clone(), image.clone());
        offload::blocking(move || this.read_platforms(&image)).await
    }

    fn read_platforms(&self, image: &Image) -> Result<Vec<PlatformManifest>> {
        let index = self.index();
        let name = index.names.values().find(|name| name.image == image.id && name.index.is_some());
        let Some((name, blob)) = name.and_then(|name| Some((name, name.index.as_ref()?))) else {
            return Ok(self.own_manifest(&index, image).into_iter().collect());
        };
        let bytes = self.inner.blobs.read(&blob.digest, MAX_INDEX)?;
        let document: ImageIndex = parse(&bytes, || format!("index {}", blob.digest))?;
        document.manifests().iter().map(|listed| self.listed(&index, name, listed)).collect()
    }

    /// Of an image without an index.
    fn own_manifest(&self, index: &Index, image: &Image) -> Option<PlatformManifest> {
        let manifest = self.outgoing(index, image).ok()?;
        Some(PlatformManifest {
            descriptor: descriptor(&manifest.manifest),
            digest: manifest.manifest.digest.clone(),
            platform: Some(image.platform()),
            image: self.get(&image.id),
            content: manifest.manifest.size
                + manifest.config.size
                + sum(manifest.layers.iter().map(|(_, blob)| blob)),
            describes: None,
        })
    }

    fn listed(&self, index: &Index, name: &NameRecord, listed: &oci::Descriptor) -> Result<PlatformManifest> {
        let digest = digest_of(listed)?;
        let stored = name.images().filter_map(|id| index.images.get(id));
        let stored =
            stored.into_iter().find(|stored| stored.record.manifest_digest().as_ref() == Some(&digest));
        let outgoing = stored.and_then(|stored| self.outgoing(index, &stored.image).ok());
        let annotations = listed.annotations().as_ref();
        let describes = annotations.and_then(|all| all.get("vnd.docker.reference.digest")?.parse().ok());
        let blob = BlobRecord {
            digest: digest.clone(),
            size: listed.size(),
            media_type: listed.media_type().to_string(),
        };
        Ok(PlatformManifest {
            descriptor: serde_json::to_value(listed).unwrap_or_else(|_| descriptor(&blob)),
            digest,
            platform: platform_of(listed),
            image: stored.map(|stored| Arc::clone(&stored.image)),
            content: outgoing.map_or(0, |outgoing| {
                outgoing.manifest.size
                    + outgoing.config.size
                    + sum(outgoing.layers.iter().map(|(_, blob)| blob))
            }),
            describes,
        })
    }
}

fn sum<'a>(blobs: impl Iterator<Item = &'a BlobRecord>) -> u64 {
    blobs.map(|blob| blob.size).sum()
}
