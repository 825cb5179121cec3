//! All images in memory, as one value that is replaced with each change.

use crate::records::{BlobRecord, ImageRecord, LayerRecord, NameRecord};
use crate::{Image, ImageError, Result};
use layers::LayerId;
use oci::{Digest, ImageConfig, Query, Reference, chain_id, is_id_prefix};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// A layer that a record names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layer {
    pub(crate) dir: LayerId,
    pub(crate) size: u64,
    pub(crate) blobs: Vec<BlobRecord>,
}

impl Layer {
    pub(crate) fn record(&self) -> LayerRecord {
        LayerRecord { dir: self.dir.to_string(), size: self.size, blobs: self.blobs.clone() }
    }
}

/// One image's record beside what lookups need.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) record: ImageRecord,
    pub(crate) config: Arc<ImageConfig>,
    pub(crate) image: Arc<Image>,
}

/// What was true at one moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct Index {
    pub(crate) images: BTreeMap<Digest, Stored>,
    pub(crate) names: BTreeMap<Reference, NameRecord>,
    pub(crate) layers: HashMap<Digest, Layer>,
    /// Images that are left out because their config cannot be read: kept for a repair, with their blobs.
    pub(crate) unreadable: BTreeMap<Digest, ImageRecord>,
}

impl Index {
    /// The image that a user's text means.
    pub(crate) fn resolve(&self, text: &str) -> Result<&Stored> {
        let not_found = |name: String| ImageError::NotFound { name };
        match text.parse()? {
            Query::Id(id) => self.images.get(&id).ok_or_else(|| not_found(text.to_owned())),
            Query::Reference(reference) => {
                let reference = reference.or_latest();
                if let Some(stored) = self.named(&reference) {
                    return Ok(stored);
                }
                self.by_prefix(text)?.ok_or_else(|| not_found(reference.familiar()))
            }
        }
    }

    /// The image with this name; a digest may also be an image's id, and wins over a tag beside it.
    pub(crate) fn named(&self, reference: &Reference) -> Option<&Stored> {
        match (self.name(reference), reference.digest()) {
            (Some(name), _) => self.images.get(&name.image),
            (None, Some(digest)) => self
                .images
                .get(digest)
                .filter(|stored| names_of(&stored.image).any(|n| n.same_repository(reference))),
            (None, None) => None,
        }
    }

    /// What a name means; of one with tag and digest the digest counts.
    pub(crate) fn name(&self, reference: &Reference) -> Option<&NameRecord> {
        let bare = reference.digest().map(|digest| reference.with_digest(digest.clone()));
        self.names.get(bare.as_ref().unwrap_or(reference))
    }

    fn by_prefix(&self, text: &str) -> Result<Option<&Stored>> {
        let mut found = self.images.iter().filter(|(id, _)| is_id_prefix(id, text)).map(|(_, stored)| stored);
        match (found.next(), found.next()) {
            (Some(_), Some(_)) => Err(ImageError::Ambiguous { prefix: text.to_owned() }),
            (one, _) => Ok(one),
        }
    }

    /// Adds or replaces an image; its names are those that are in the index already.
    pub(crate) fn insert(&mut self, id: &Digest, record: ImageRecord, config: Arc<ImageConfig>) {
        self.unreadable.remove(id);
        let names: Vec<&Reference> = self
            .names
            .iter()
            .filter(|(_, of)| of.images().any(|of| of == id))
            .map(|(name, _)| name)
            .collect();
        let (digests, tags): (Vec<_>, Vec<_>) =
            names.into_iter().cloned().partition(|name| name.digest().is_some());
        let diff_ids = &config.rootfs.diff_ids;
        let image = Image {
            id: id.clone(),
            tags,
            digests,
            created: config.created.as_deref().map_or(0, seconds),
            size: diff_ids.iter().filter_map(|diff| self.layers.get(diff)).map(|layer| layer.size).sum(),
            parent: record.parent.clone(),
            chain_id: chain_id(diff_ids, blobs::sha256),
            last_tagged: record.last_tagged,
            descriptor: record.descriptor.clone(),
            config: (*config).clone(),
        };
        self.images.insert(id.clone(), Stored { record, config, image: Arc::new(image) });
    }

    /// Rebuilds an image whose names changed.
    pub(crate) fn refresh(&mut self, id: &Digest) {
        if let Some(stored) = self.images.remove(id) {
            self.insert(id, stored.record, stored.config);
        }
    }

    /// Layers that some image has.
    pub(crate) fn used_layers(&self) -> HashSet<&Digest> {
        self.images.values().flat_map(|stored| &stored.config.rootfs.diff_ids).collect()
    }

    /// Directories of an image's layers, lowest first.
    pub(crate) fn dirs(&self, image: &Image) -> Result<Vec<LayerId>> {
        let dir = |diff: &Digest| match self.layers.get(diff) {
            Some(layer) => Ok(layer.dir.clone()),
            None => Err(ImageError::MissingLayer { image: image.id.clone(), layer: diff.clone() }),
        };
        image.layers().iter().map(dir).collect()
    }

    /// Images made from this one.
    pub(crate) fn children<'a>(&'a self, id: &'a Digest) -> impl Iterator<Item = &'a Stored> {
        self.images.values().filter(move |stored| stored.record.parent.as_ref() == Some(id))
    }
}

/// All names of an image.
pub(crate) fn names_of(image: &Image) -> impl Iterator<Item = &Reference> {
    image.tags.iter().chain(&image.digests)
}

/// RFC 3339 to Unix time; 0 if it is none.
pub(crate) fn seconds(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().map_or(0, jiff::Timestamp::as_second)
}
