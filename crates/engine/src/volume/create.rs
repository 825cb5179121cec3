//! `volume create`.

use crate::Services;
use errors::Result;
use events::{Event, VolumeAction};
use std::sync::Arc;
use volumes::{Create, Volume};

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
