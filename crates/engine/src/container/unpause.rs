//! `unpause`: thaw all processes.

use crate::Services;
use ::events::ContainerAction;
use containers::{Event, State};
use errors::{Class, Error, Result};
use std::sync::Arc;

/// Thaws a frozen container.
///
/// # Errors
/// `Conflict` when it is not frozen.
pub async fn unpause(services: &Arc<Services>, reference: &str) -> Result<()> {
    let container = services.containers.find(reference)?;
    let _verb = container.verb_lock.lock().await;
    let refuse = || Error::new(Class::Conflict, format!("Container {} is not paused", container.id()));
    if !matches!(container.state(), State::Paused { .. }) {
        return Err(refuse());
    }
    let resumed = container.task().ok_or_else(refuse)?.resume().await;
    resumed.map_err(|error| super::failed_call(&container, error))?;
    let record = services.containers.advance(&container, Event::Unpaused, |_| {}).await?;
    services.events.publish(super::event(&ContainerAction::Unpause, &record));
    Ok(())
}
