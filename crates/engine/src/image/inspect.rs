//! `image inspect`.

use crate::Services;
use errors::Result;
use images::Image;
use std::sync::Arc;

/// Everything about an image.
///
/// # Errors
/// `NotFound`, and `Invalid` for what is neither a name nor an id.
pub async fn inspect(services: &Arc<Services>, name: &str) -> Result<Arc<Image>> {
    Ok(services.images.resolve(name)?)
}
