//! An image of one layer out of a root file system.

use crate::{Image, Images, Result};
use oci::{Platform, Reference};
use std::sync::Arc;
use tokio::io::AsyncRead;

/// What `import` makes of a root file system.
#[derive(Debug, Clone, Default)]
pub struct Import {
    /// The image's name; none: it stays nameless.
    pub reference: Option<Reference>,
    /// Dockerfile instructions: CMD, ENTRYPOINT, ENV, EXPOSE, WORKDIR, USER, LABEL, VOLUME, STOPSIGNAL, HEALTHCHECK,
    /// ONBUILD.
    pub changes: Vec<String>,
    /// For the history; empty: docker's `Imported from -`.
    pub message: String,
    /// None: the host's.
    pub platform: Option<Platform>,
}

impl Images {
    /// Makes an image of the tar stream `body`, plain or compressed with gzip or zstd.
    pub async fn import(&self, body: impl AsyncRead + Send + 'static, import: Import) -> Result<Arc<Image>> {
        let _ = (Box::pin(body), import);
        todo!()
    }
}
