//! An image as the rest of the engine sees it.

use oci::{Descriptor, Digest, ImageConfig, Platform, Reference};

/// One image, as it was when it was looked up.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    /// Digest of the config document.
    pub id: Digest,
    /// The config document.
    pub config: ImageConfig,
    /// Names with a tag, sorted; none: the image is dangling.
    pub tags: Vec<Reference>,
    /// Names with the digest of a manifest, sorted: where the image was pulled from or pushed to.
    pub digests: Vec<Reference>,
    /// When it was made, Unix time in seconds; 0 if the config doesn't say.
    pub created: i64,
    /// Bytes of all files of all layers.
    pub size: u64,
    /// The image it was built or committed from, if that is in this store.
    pub parent: Option<Digest>,
    /// Identifies the stack of layers; none if there are no layers.
    pub chain_id: Option<Digest>,
    /// When it last got a tag here, Unix time in nanoseconds.
    pub last_tagged: Option<i64>,
    /// The manifest it was pulled by, if it was.
    pub descriptor: Option<Descriptor>,
}

impl Image {
    /// The platform in normal form.
    pub fn platform(&self) -> Platform {
        self.config.platform()
    }

    /// Digests of the uncompressed layers, lowest first.
    pub fn layers(&self) -> &[Digest] {
        &self.config.rootfs.diff_ids
    }

    /// `busybox:latest` for each tag.
    pub fn repo_tags(&self) -> Vec<String> {
        self.tags.iter().map(Reference::familiar).collect()
    }

    /// `busybox@sha256:…` for each digest.
    pub fn repo_digests(&self) -> Vec<String> {
        self.digests.iter().map(Reference::familiar).collect()
    }
}
