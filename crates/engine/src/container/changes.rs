//! `diff`: what a container did to its root file system.

use crate::Services;
use errors::{Class, Error, Result};
use images::Change;
use std::sync::Arc;

/// What a container added, changed and deleted, sorted by path. Waits for no lock.
///
/// # Errors
/// `NotFound`, `Conflict` for one that is being removed.
pub async fn changes(services: &Arc<Services>, reference: &str) -> Result<Vec<Change>> {
    let container = services.containers.find(reference)?;
    match services.images.changes(container.id().as_str()).await {
        Err(_) if container.is_removing() => {
            Err(Error::new(Class::Conflict, format!("container {} is being removed", container.id())))
        }
        changes => Ok(changes?),
    }
}
