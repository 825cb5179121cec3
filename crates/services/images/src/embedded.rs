//! The image inside the program, so that a first container runs without a network.

use crate::{Image, Images, LoadOptions, Result};
use oci::Reference;
use std::sync::Arc;

/// Name of the embedded image.
pub const NAME: &str = "hello-world:latest";

/// Made by this crate's build script: an OCI layout with one static program.
const ARCHIVE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hello-world.tar"));

impl Images {
    /// Loads the embedded image if `name` means it; none: it does not. For `run` and `create` of a name that
    /// [`Images::resolve`] does not find.
    pub async fn load_embedded(&self, name: &str) -> Result<Option<Arc<Image>>> {
        let asked = name.parse::<Reference>().map(|reference| reference.or_latest().familiar());
        if asked.as_deref() != Ok(NAME) {
            return Ok(None);
        }
        self.load(ARCHIVE, LoadOptions::default()).await?;
        self.resolve(NAME).map(Some)
    }
}
