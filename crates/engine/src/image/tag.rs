//! `tag`.

use crate::Services;
use errors::Result;
use events::ImageAction;
use oci::Reference;
use std::sync::Arc;

/// Gives an image another name.
///
/// # Errors
/// `NotFound`; `Invalid` for a name that is none.
pub async fn tag(services: &Arc<Services>, source: &str, target: &Reference) -> Result<()> {
    let tagged = services.images.tag(source, target).await?;
    if let Some(image) = services.images.get(&tagged.id) {
        super::publish(services, ImageAction::Tag, &image, &tagged.reference.familiar());
    }
    Ok(())
}
