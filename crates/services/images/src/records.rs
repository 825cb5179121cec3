//! What the service keeps in the state store.
//!
//! ```text
//! images/image/<id>            ImageRecord; the config itself is the blob of this digest
//! images/name/<reference>      NameRecord: full references with a tag or a digest
//! images/layer/<diff id>       LayerRecord: where the unpacked layer is, and the blobs that it can be unpacked from
//! ```
//!
//! Every blob that is needed is named here: a config by its image, a manifest by the image's descriptor, an index by a
//! name, a layer's tar by the layer. What else lies among the blobs is swept.

use oci::{Descriptor, Digest, Reference};
use serde::{Deserialize, Serialize};

/// Prefix of images.
pub(crate) const IMAGES: &str = "images/image/";
/// Prefix of names.
pub(crate) const NAMES: &str = "images/name/";
/// Prefix of layers.
pub(crate) const LAYERS: &str = "images/layer/";

/// What an image's config does not say about it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(crate) struct ImageRecord {
    /// When it came into this store, Unix time in nanoseconds.
    pub(crate) stored: i64,
    /// When it last got a tag, Unix time in nanoseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_tagged: Option<i64>,
    /// When a container of it was last made or removed, Unix time in nanoseconds; written now and then only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) last_used: Option<i64>,
    /// The image it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<Digest>,
    /// The manifest it was pulled by, pushed as or loaded with; its document is a blob.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) descriptor: Option<Descriptor>,
}

impl ImageRecord {
    /// The blob that is its manifest.
    pub(crate) fn manifest_digest(&self) -> Option<Digest> {
        self.descriptor.as_ref().and_then(|descriptor| descriptor.digest().as_ref().parse().ok())
    }
}

/// What a name means: one image, or those of an index that are here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NameRecord {
    /// Id of the image that is meant where no platform is asked for.
    pub(crate) image: Digest,
    /// The index that the name stands for where it came from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) index: Option<BlobRecord>,
    /// Images of the same index for other platforms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) others: Vec<Digest>,
}

impl NameRecord {
    /// A name of one image.
    pub(crate) fn of(image: Digest) -> Self {
        Self { image, index: None, others: Vec::new() }
    }

    /// All images that it names, the one that is meant first.
    pub(crate) fn images(&self) -> impl Iterator<Item = &Digest> {
        std::iter::once(&self.image).chain(&self.others)
    }

    /// Without an image: none if nothing is left then.
    pub(crate) fn without(mut self, image: &Digest) -> Option<Self> {
        self.others.retain(|other| other != image);
        if self.image == *image {
            self.image = (!self.others.is_empty()).then(|| self.others.remove(0))?;
        }
        Some(self)
    }
}

/// A blob, as a descriptor names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct BlobRecord {
    /// Of its bytes.
    pub(crate) digest: Digest,
    /// In bytes.
    pub(crate) size: u64,
    /// What it is.
    pub(crate) media_type: String,
}

/// An unpacked layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LayerRecord {
    /// Name of its directory.
    pub(crate) dir: String,
    /// Bytes of its regular files.
    pub(crate) size: u64,
    /// What it was or can be unpacked from, the first one found here first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) blobs: Vec<BlobRecord>,
}

pub(crate) fn image_key(id: &Digest) -> String {
    format!("{IMAGES}{id}")
}

pub(crate) fn name_key(name: &Reference) -> String {
    format!("{NAMES}{name}")
}

pub(crate) fn layer_key(diff_id: &Digest) -> String {
    format!("{LAYERS}{diff_id}")
}
