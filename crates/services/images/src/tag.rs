//! Giving names to images.

use crate::{Images, Result};
use oci::{Digest, Reference};

/// What `tag` did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tagged {
    /// The image.
    pub id: Digest,
    /// Its new name.
    pub reference: Reference,
    /// The image that had the name before and has lost it.
    pub replaced: Option<Digest>,
}

impl Images {
    /// Gives the image that `source` means the name `target`, with `latest` if it has no tag.
    ///
    /// # Errors
    /// [`crate::ImageError::NotFound`]; [`crate::ImageError::TagByDigest`] if `target` has a digest.
    pub async fn tag(&self, source: &str, target: &Reference) -> Result<Tagged> {
        let _ = (source, target);
        todo!()
    }
}
