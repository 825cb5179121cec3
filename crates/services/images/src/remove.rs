//! Taking names and images away, by docker's rules.

use crate::{Images, Result};
use oci::Digest;

/// A container that an image is in use by, as the engine knows it.
#[derive(Debug, Clone)]
pub struct Use {
    /// Id of the image that the container was made from.
    pub image: Digest,
    /// The container's id.
    pub container: String,
    /// Whether it runs (or is paused): then not even force takes the image away.
    pub running: bool,
}

/// How to remove.
#[derive(Debug, Clone, Copy)]
pub struct Removal {
    /// Also if several repositories name the image or a stopped container uses it.
    pub force: bool,
    /// Also parents that have no name and no other child.
    pub prune: bool,
}

/// One thing that went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// A name: `busybox:latest` or `busybox@sha256:…`.
    Untagged(String),
    /// An image or, by its chain id, a layer: `sha256:…`.
    Deleted(String),
}

impl Images {
    /// Removes what `name` means: the name alone if the image has others, else also the image, and the layers that
    /// nothing else needs.
    ///
    /// # Errors
    /// [`crate::ImageError::NotFound`]; [`crate::ImageError::InUse`] with docker's sentence.
    pub async fn remove(&self, name: &str, removal: Removal, uses: &[Use]) -> Result<Vec<Removed>> {
        let _ = (name, removal, uses);
        todo!()
    }
}
