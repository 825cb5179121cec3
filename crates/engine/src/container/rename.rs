//! `rename`: another name.

use crate::Services;
use ::events::ContainerAction;
use errors::{Class, Error, Result};
use ids::ContainerName;
use std::sync::Arc;

/// Gives a container another name.
///
/// # Errors
/// `Conflict` when the name is in use, `Invalid` when it is no name or the present one.
pub async fn rename(services: &Arc<Services>, reference: &str, name: &str) -> Result<()> {
    let container = services.containers.find(reference)?;
    let _verb = container.verb_lock.lock().await;
    if name.is_empty() {
        return Err(Error::new(Class::Invalid, "Neither old nor new names may be empty"));
    }
    let allocating = |error: Error| error.context("Error when allocating new name");
    let slashed = if name.starts_with('/') { name.to_owned() } else { format!("/{name}") };
    let new: ContainerName = slashed.parse().map_err(|error: ids::IdError| allocating(error.into()))?;
    let old = container.record().name.clone();
    if new == old {
        return Err(Error::new(
            Class::Invalid,
            "Renaming a container with the same name as its current name",
        ));
    }
    let reservation = services.containers.reserve(new).map_err(|error| allocating(error.into()))?;
    services.containers.rename(&container, reservation).await?;
    crate::names::announce_again(services, &container).await;
    let action = ContainerAction::Rename { old: format!("/{old}") };
    services.events.publish(super::event(&action, &container.record()));
    Ok(())
}
