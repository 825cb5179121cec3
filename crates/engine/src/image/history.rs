//! `history`.

use crate::Services;
use errors::Result;
use images::HistoryItem;
use oci::Platform;
use std::sync::Arc;

/// The steps by which an image came to be, latest first.
///
/// # Errors
/// `NotFound`.
pub async fn history(
    services: &Arc<Services>,
    name: &str,
    platform: Option<&Platform>,
) -> Result<Vec<HistoryItem>> {
    let image = services.images.resolve_for(name, platform)?;
    Ok(services.images.history(&image))
}
