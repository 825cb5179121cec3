//! `save`: images into an archive.

use crate::Services;
use errors::Result;
use std::sync::Arc;
use tokio::io::AsyncWrite;

/// Checks that the images exist, then answers the writing itself, so that a server can send its headers first.
///
/// # Errors
/// `NotFound`.
pub async fn save(
    services: &Arc<Services>,
    names: Vec<String>,
    out: impl AsyncWrite + Send + 'static,
) -> Result<impl Future<Output = Result<()>> + Send + 'static> {
    for name in &names {
        services.images.resolve(name)?;
    }
    let images = services.images.clone();
    Ok(async move { Ok(images.save(&names, out).await?) })
}
