//! The manifest of an image that is here: the one it came with, or one of the blobs that there are.

use crate::index::{Index, Stored};
use crate::pull::digest_of;
use crate::records::BlobRecord;
use crate::{Image, ImageError, Images, Result};
use oci::{Descriptor, Digest, ImageIndex, ImageManifest, media};
use serde_json::json;

/// A manifest is never larger.
const MAX_MANIFEST: u64 = 4 << 20;

/// An image as it goes out: its manifest, and everything that this names.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    /// The manifest itself.
    pub(crate) manifest: BlobRecord,
    /// Byte for byte.
    pub(crate) bytes: Vec<u8>,
    /// The config.
    pub(crate) config: BlobRecord,
    /// Lowest first: the blob of each layer, and which layer it is.
    pub(crate) layers: Vec<(Digest, BlobRecord)>,
}

impl Images {
    /// The manifest that `image` came with if all that it names is here, else a new one. Reads the disk.
    ///
    /// # Errors
    /// [`ImageError::MissingBlob`] for a layer that was stored without what it was unpacked from.
    pub(crate) fn outgoing(&self, index: &Index, image: &Image) -> Result<Outgoing> {
        if let Some(stored) = index.images.get(&image.id)
            && let Some(outgoing) = self.original(stored)
        {
            return Ok(outgoing);
        }
        self.rebuilt(index, image)
    }

    /// The document of an index, if every manifest that it lists is among `here`: only then it can go out whole. Reads the
    /// disk.
    pub(crate) fn index_of(&self, blob: &BlobRecord, here: &[Digest]) -> Option<(BlobRecord, Vec<u8>)> {
        let bytes = self.inner.blobs.read(&blob.digest, MAX_MANIFEST).ok()?;
        let document: ImageIndex = serde_json::from_slice(&bytes).ok()?;
        let whole = document
            .manifests()
            .iter()
            .all(|child| digest_of(child).is_ok_and(|digest| here.contains(&digest)));
        whole.then(|| (blob.clone(), bytes))
    }

    fn original(&self, stored: &Stored) -> Option<Outgoing> {
        let blobs = &self.inner.blobs;
        let descriptor = stored.record.descriptor.as_ref()?;
        let digest = digest_of(descriptor).ok()?;
        let bytes = blobs.read(&digest, MAX_MANIFEST).ok()?;
        let document: ImageManifest = serde_json::from_slice(&bytes).ok()?;
        let config = blob_of(document.config()).ok()?;
        let layers = document.layers().iter().map(blob_of).collect::<Result<Vec<_>>>().ok()?;
        let diff_ids = &stored.config.rootfs.diff_ids;
        let whole = layers.len() == diff_ids.len()
            && config.digest == stored.image.id
            && layers.iter().all(|layer| blobs.contains(&layer.digest));
        let media_type = descriptor.media_type().to_string();
        let manifest = BlobRecord { digest, size: bytes.len() as u64, media_type };
        whole.then(|| Outgoing {
            manifest,
            bytes,
            config,
            layers: diff_ids.iter().cloned().zip(layers).collect(),
        })
    }

    fn rebuilt(&self, index: &Index, image: &Image) -> Result<Outgoing> {
        let blobs = &self.inner.blobs;
        let mut layers = Vec::new();
        for diff_id in image.layers() {
            let known = index.layers.get(diff_id).map(|layer| layer.blobs.as_slice()).unwrap_or_default();
            let blob = known.iter().find(|blob| blobs.contains(&blob.digest));
            let missing = || ImageError::MissingBlob { image: image.id.clone(), layer: diff_id.clone() };
            layers.push((diff_id.clone(), blob.ok_or_else(missing)?.clone()));
        }
        let docker = layers.iter().all(|(_, blob)| blob.media_type == media::DOCKER_LAYER);
        let size = std::fs::metadata(blobs.path(&image.id)).map(|stat| stat.len()).unwrap_or(0);
        let (kind, of_config) = if docker {
            (media::DOCKER_MANIFEST, media::DOCKER_CONFIG)
        } else {
            (media::MANIFEST, media::CONFIG)
        };
        let config = BlobRecord { digest: image.id.clone(), size, media_type: of_config.to_owned() };
        for (_, layer) in layers.iter_mut().filter(|_| !docker) {
            layer.media_type = media::in_oci(&layer.media_type).to_owned();
        }
        let document = json!({
            "schemaVersion": 2,
            "mediaType": kind,
            "config": descriptor(&config),
            "layers": layers.iter().map(|(_, layer)| descriptor(layer)).collect::<Vec<_>>(),
        });
        let bytes = document.to_string().into_bytes();
        let digest = blobs::digest(&bytes);
        let manifest = BlobRecord { digest, size: bytes.len() as u64, media_type: kind.to_owned() };
        Ok(Outgoing { manifest, bytes, config, layers })
    }
}

impl Outgoing {
    /// All that it needs.
    pub(crate) fn blobs(&self) -> impl Iterator<Item = &Digest> {
        let layers = self.layers.iter().map(|(_, blob)| &blob.digest);
        layers.chain([&self.config.digest, &self.manifest.digest])
    }

    /// The descriptor of the manifest, as records have it.
    pub(crate) fn descriptor(&self) -> Result<Descriptor> {
        serde_json::from_value(descriptor(&self.manifest)).map_err(|source| ImageError::BadDocument {
            name: format!("manifest {}", self.manifest.digest),
            source,
        })
    }
}

/// A descriptor (OCI image specification, "Content Descriptors").
pub(crate) fn descriptor(blob: &BlobRecord) -> serde_json::Value {
    json!({ "mediaType": blob.media_type, "digest": blob.digest, "size": blob.size })
}

pub(crate) fn blob_of(descriptor: &Descriptor) -> Result<BlobRecord> {
    let media_type = descriptor.media_type().to_string();
    Ok(BlobRecord { digest: digest_of(descriptor)?, size: descriptor.size(), media_type })
}
