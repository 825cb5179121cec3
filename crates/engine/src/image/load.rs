//! `load`: images from an archive.

use crate::Services;
use errors::Result;
use events::ImageAction;
use images::{LoadOptions, Loaded};
use std::sync::Arc;
use tokio::io::AsyncRead;

/// Takes in the images of an archive, all or none.
///
/// # Errors
/// `Invalid` for an archive that is damaged or hostile.
pub async fn load(
    services: &Arc<Services>,
    body: impl AsyncRead + Send + 'static,
    options: LoadOptions,
) -> Result<Vec<Loaded>> {
    let loaded = services.images.load(body, options).await?;
    for item in &loaded {
        if let Some(image) = services.images.get(&item.id) {
            let name = item.reference.as_ref().map_or_else(|| item.id.to_string(), |name| name.familiar());
            super::publish(services, ImageAction::Load, &image, &name);
        }
    }
    Ok(loaded)
}
