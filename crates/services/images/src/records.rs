//! What the service keeps in the state store.
//!
//! ```text
//! images/image/<id>            ImageRecord; the config itself is the blob of this digest
//! images/name/<reference>      NameRecord: full references with a tag or a digest
//! images/layer/<diff id>       LayerRecord: where the unpacked layer is
//! ```

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
    /// The image it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) parent: Option<Digest>,
    /// The manifest it was pulled by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) descriptor: Option<Descriptor>,
}

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct NameRecord {
    /// Id of the image.
    pub(crate) image: Digest,
}

/// An unpacked layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LayerRecord {
    /// Name of its directory.
    pub(crate) dir: String,
    /// Bytes of its regular files.
    pub(crate) size: u64,
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
