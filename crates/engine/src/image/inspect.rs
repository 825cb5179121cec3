//! `image inspect`.

use crate::Services;
use errors::Result;
use images::Image;
use oci::Platform;
use std::sync::Arc;

/// Everything about an image, of a name for several platforms the one that is asked for.
///
/// # Errors
/// `NotFound`, and `Invalid` for what is neither a name nor an id.
pub async fn inspect(
    services: &Arc<Services>,
    name: &str,
    platform: Option<&Platform>,
) -> Result<Arc<Image>> {
    Ok(services.images.resolve_for(name, platform)?)
}
