//! `import`: an image from a root file system.

use crate::Services;
use errors::Result;
use events::ImageAction;
use images::{Image, Import};
use std::sync::Arc;
use tokio::io::AsyncRead;

/// Makes an image of a tar stream.
///
/// # Errors
/// `Invalid` for a stream or an instruction that is wrong.
pub async fn import(
    services: &Arc<Services>,
    body: impl AsyncRead + Send + 'static,
    import: Import,
) -> Result<Arc<Image>> {
    let image = services.images.import(body, import).await?;
    super::publish(services, ImageAction::Import, &image, image.id.as_str());
    Ok(image)
}
