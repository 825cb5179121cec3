//! `volume rm`.

use crate::Services;
use errors::Result;
use events::{Event, VolumeAction};
use std::sync::Arc;

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
