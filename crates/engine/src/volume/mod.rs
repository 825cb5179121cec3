//! The verbs on volumes.

use crate::Services;
use errors::Result;
use events::{Event, VolumeAction};
use std::sync::Arc;
use volumes::{Create, Filter, Pruned, Volume};

/// Makes a volume, or answers the one that has this name.
///
/// # Errors
/// `Invalid` for a bad name or option, `Conflict` for a name with another driver.
pub async fn create(services: &Arc<Services>, create: Create) -> Result<Volume> {
    let (volume, made) = services.volumes.create(create).await?;
    if made {
        services.events.publish(Event::volume(&VolumeAction::Create, &volume.name, &volume.driver));
    }
    Ok(volume)
}

/// A volume by name.
///
/// # Errors
/// `NotFound`.
pub async fn inspect(services: &Arc<Services>, name: &str) -> Result<Volume> {
    Ok(services.volumes.get(name).await?)
}

/// The volumes that a filter wants, by name.
///
/// # Errors
/// The store's.
pub async fn list(services: &Arc<Services>, filter: &Filter) -> Result<Vec<Volume>> {
    Ok(services.volumes.list(filter).await?)
}

/// Removes a volume with its content; with `force` one that does not exist is no error.
///
/// # Errors
/// `NotFound`; `Conflict` while a container has it.
pub async fn remove(services: &Arc<Services>, name: &str, force: bool) -> Result<()> {
    if services.volumes.remove(name, force).await? {
        services.events.publish(Event::volume(&VolumeAction::Destroy, name, "local"));
    }
    Ok(())
}

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
