//! Images into archives that docker, podman, skopeo and this engine load.

use crate::{ImageError, Images, Result};
use tokio::io::AsyncWrite;

impl Images {
    /// Writes the images that `names` mean as one archive, an OCI layout that is also docker's `save` format. A name
    /// saves that tag, a repository all its tags, an id no name.
    pub async fn save(&self, names: &[String], out: impl AsyncWrite + Send + 'static) -> Result<()> {
        drop(Box::pin(out));
        names.iter().try_for_each(|name| self.resolve(name).map(drop))?;
        Err(ImageError::Unsupported { what: "save" })
    }
}
