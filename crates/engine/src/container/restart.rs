//! `restart`: stop if need be, then start.

use super::Stop;
use crate::Services;
use ::events::ContainerAction;
use errors::Result;
use std::sync::Arc;

/// Stops a running container, then starts it.
///
/// # Errors
/// Those of [`super::stop`] and [`super::start`].
pub async fn restart(services: &Arc<Services>, reference: &str, how: Stop) -> Result<()> {
    let container = services.containers.find(reference)?;
    let verb = container.verb_lock.lock().await;
    if container.state().is_live() {
        container.set_held(true);
        let stopped = super::stop::stop_locked(services, &container, &how).await;
        container.set_held(false);
        stopped?;
        services.events.publish(super::event(&ContainerAction::Stop, &container.record()));
    }
    let started = super::start::start_locked(services, &container, true).await;
    drop(verb);
    if let Err(error) = &started {
        super::start::remove_unstarted(services, &container, error).await;
    }
    started?;
    services.events.publish(super::event(&ContainerAction::Restart, &container.record()));
    Ok(())
}
