//! `save`: images into an archive.

use crate::Services;
use errors::Result;
use events::ImageAction;
use oci::Platform;
use std::sync::Arc;
use tokio::io::AsyncWrite;

/// Checks that the images exist, then answers the writing itself, so that a server can send its headers first.
///
/// # Errors
/// `NotFound`.
pub async fn save(
    services: &Arc<Services>,
    names: Vec<String>,
    platform: Option<Platform>,
    out: impl AsyncWrite + Send + 'static,
) -> Result<impl Future<Output = Result<()>> + Send + 'static> {
    services.images.can_save(&names, platform.as_ref())?;
    let services = Arc::clone(services);
    Ok(async move {
        services.images.save(&names, platform.as_ref(), out).await?;
        for name in &names {
            if let Ok(image) = services.images.resolve(name) {
                super::publish(&services, ImageAction::Save, &image, image.id.as_str());
            }
        }
        Ok(())
    })
}
