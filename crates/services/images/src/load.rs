//! Images out of archives: docker's `save` format and OCI layouts in a tar stream.

use crate::{Images, Result};
use oci::{Digest, Platform, Reference};
use std::fmt;
use tokio::io::AsyncRead;

/// What to take out of an archive.
#[derive(Debug, Clone, Default)]
pub struct LoadOptions {
    /// Only images for this platform; none: the host's where an index offers a choice, else whatever is there.
    pub platform: Option<Platform>,
}

/// An image that `load` brought in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// Its id.
    pub id: Digest,
    /// The name that the archive gives it, if it does.
    pub reference: Option<Reference>,
    /// The image that had the name before and has lost it.
    pub replaced: Option<Digest>,
}

/// The line that `docker load` prints.
impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.reference {
            Some(reference) => write!(f, "Loaded image: {}", reference.familiar()),
            None => write!(f, "Loaded image ID: {}", self.id),
        }
    }
}

impl Images {
    /// Reads an archive, plain or compressed with gzip or zstd, to its end and takes in the images that it holds.
    ///
    /// All or nothing: an archive that is truncated, malformed or hostile leaves nothing behind, and so does a
    /// caller that drops the future.
    pub async fn load(
        &self,
        body: impl AsyncRead + Send + 'static,
        options: LoadOptions,
    ) -> Result<Vec<Loaded>> {
        let _ = (Box::pin(body), options);
        todo!()
    }
}
