//! What images take on disk: their layers, and the blobs that these come from.

use crate::index::{Index, Stored};
use crate::{Images, Result};
use layers::LayerId;
use oci::Digest;
use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;

/// What one image takes, in allocated bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ImageUsage {
    /// All its layers and blobs.
    pub size: u64,
    /// Of these the ones that other images need as well.
    pub shared: u64,
}

/// What the store takes, in allocated bytes, as `du` counts them.
#[derive(Debug, Clone, Default)]
pub struct StoreUsage {
    /// All layers and blobs, the half-fetched ones too, and what is being unpacked or deleted.
    pub total: u64,
    /// Of `total` the half-fetched blobs.
    pub partials: u64,
    /// By image.
    pub images: HashMap<Digest, ImageUsage>,
    layers: HashMap<LayerId, u64>,
    blobs: HashMap<Digest, u64>,
    /// Of the blobs those that a registry beside has too.
    beside: HashSet<Digest>,
}

impl StoreUsage {
    /// Bytes that the disk got back of the layers and blobs that are here and not in `later`, whatever came meanwhile.
    pub fn gone_in(&self, later: &Self) -> u64 {
        let layers =
            self.layers.iter().filter(|(id, _)| !later.layers.contains_key(*id)).map(|(_, size)| size);
        let freed = |id: &Digest| !later.blobs.contains_key(id) && !self.beside.contains(id);
        let blobs = self.blobs.iter().filter(|(id, _)| freed(id)).map(|(_, size)| size);
        layers.chain(blobs).sum()
    }
}

/// A thing on disk that images may share.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Part {
    Layer(LayerId),
    Blob(Digest),
}

impl Images {
    /// Measures everything. A layer is walked once in the life of this process, since it never changes.
    pub async fn disk_usage(&self) -> Result<StoreUsage> {
        let this = self.clone();
        offload::blocking(move || this.measure()).await
    }

    /// Allocated bytes of all that the container `key` has of its own on top of its image. Walks the directory.
    pub async fn snapshot_usage(&self, key: &str) -> Result<u64> {
        let (layers, key) = (self.inner.layers.clone(), key.to_owned());
        offload::blocking(move || Ok(layers.snapshot_usage(&key)?.unwrap_or_default().bytes)).await
    }

    fn measure(&self) -> Result<StoreUsage> {
        let inner = &self.inner;
        let blobs = inner.blobs.usage()?;
        let mut usage = StoreUsage {
            total: blobs.total + inner.layers.other_usage()?.bytes,
            partials: blobs.partials,
            blobs: blobs.blobs,
            beside: blobs.shared,
            ..StoreUsage::default()
        };
        for id in inner.layers.list()?.iter().filter_map(|name| name.parse::<LayerId>().ok()) {
            if let Some(size) = self.layer_size(&id)? {
                usage.total += size;
                usage.layers.insert(id, size);
            }
        }
        usage.images = images(&self.index(), &usage);
        Ok(usage)
    }

    fn layer_size(&self, id: &LayerId) -> Result<Option<u64>> {
        let measured = || self.inner.measured.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(size) = measured().get(id) {
            return Ok(Some(*size));
        }
        let usage = self.inner.layers.layer_usage(id)?;
        if let Some(usage) = usage {
            measured().insert(id.clone(), usage.bytes);
        }
        Ok(usage.map(|usage| usage.bytes))
    }
}

fn images(index: &Index, usage: &StoreUsage) -> HashMap<Digest, ImageUsage> {
    let mut users: HashMap<Part, usize> = HashMap::new();
    for part in index.images.values().flat_map(|stored| parts(index, stored)) {
        *users.entry(part).or_default() += 1;
    }
    let size = |part: &Part| match part {
        Part::Layer(id) => usage.layers.get(id).copied().unwrap_or(0),
        Part::Blob(digest) => usage.blobs.get(digest).copied().unwrap_or(0),
    };
    let of = |stored: &Stored| {
        let parts = parts(index, stored);
        let shared = |part: &&Part| users.get(*part).is_some_and(|users| *users > 1);
        ImageUsage { size: parts.iter().map(size).sum(), shared: parts.iter().filter(shared).map(size).sum() }
    };
    index.images.iter().map(|(id, stored)| (id.clone(), of(stored))).collect()
}

/// What an image needs: each thing once, however often it stands in the stack.
fn parts(index: &Index, stored: &Stored) -> HashSet<Part> {
    let layers = stored.config.rootfs.diff_ids.iter().filter_map(|diff_id| index.layers.get(diff_id));
    let of_layer = layers.flat_map(|layer| {
        let blobs = layer.blobs.iter().map(|blob| Part::Blob(blob.digest.clone()));
        blobs.chain([Part::Layer(layer.dir.clone())])
    });
    let documents = stored.record.manifest_digest().into_iter().chain([stored.image.id.clone()]);
    of_layer.chain(documents.map(Part::Blob)).collect()
}
