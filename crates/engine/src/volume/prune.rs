//! `volume prune`.

use crate::Services;
use errors::Result;
use events::{Event, VolumeAction};
use std::sync::Arc;
use volumes::{Filter, Pruned};

/// Removes the volumes that no container has: the anonymous ones, or all that the filter wants.
///
/// # Errors
/// The store's.
pub async fn prune(services: &Arc<Services>, filter: &Filter) -> Result<Pruned> {
    let pruned = services.volumes.prune(filter).await?;
    for name in &pruned.removed {
        services.events.publish(Event::volume(&VolumeAction::Destroy, name, "local"));
    }
    let action = VolumeAction::Prune { reclaimed: pruned.reclaimed };
    services.events.publish(Event::volume(&action, "", ""));
    Ok(pruned)
}
