//! `volume ls`.

use crate::Services;
use errors::Result;
use std::sync::Arc;
use volumes::{Filter, Volume};

/// The volumes that a filter wants, by name.
///
/// # Errors
/// The store's.
pub async fn list(services: &Arc<Services>, filter: &Filter) -> Result<Vec<Volume>> {
    Ok(services.volumes.list(filter).await?)
}
