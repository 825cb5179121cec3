//! `volume inspect`.

use crate::Services;
use errors::Result;
use std::sync::Arc;
use volumes::Volume;

/// A volume by name.
///
/// # Errors
/// `NotFound`.
pub async fn inspect(services: &Arc<Services>, name: &str) -> Result<Volume> {
    Ok(services.volumes.get(name).await?)
}
