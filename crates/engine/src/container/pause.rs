//! `pause`: freeze all processes.

use crate::Services;
use ::events::ContainerAction;
use containers::{Container, Event, Record, State};
use errors::{Class, Error, Result};
use runtime::Task;
use std::sync::Arc;

/// Freezes a running container.
///
/// # Errors
/// `Conflict` when it is not running or frozen already.
pub async fn pause(services: &Arc<Services>, reference: &str) -> Result<()> {
    let container = services.containers.find(reference)?;
    let _verb = container.verb_lock.lock().await;
    let refuse = |why: &str| Error::new(Class::Conflict, format!("Container {} is {why}", container.id()));
    let task = match container.state() {
        State::Paused { .. } => return Err(refuse("already paused")),
        State::Restarting { .. } => return Err(refuse("restarting, wait until the container is running")),
        State::Running { .. } => container.task().ok_or_else(|| refuse("not running"))?,
        _ => return Err(Error::new(Class::Conflict, format!("container {} is not running", container.id()))),
    };
    task.pause().await.map_err(|error| super::failed_call(&container, error))?;
    let record = match services.containers.advance(&container, Event::Paused, |_| {}).await {
        Ok(record) => record,
        Err(error) => {
            take_back(services, &container, &task).await;
            return Err(error);
        }
    };
    services.events.publish(super::event(&ContainerAction::Pause, &record));
    Ok(())
}

/// Thaws what could not be recorded as frozen; else nobody could tell why it stands still.
async fn take_back(services: &Services, container: &Container, task: &Task) {
    let Err(error) = task.resume().await else { return };
    tracing::error!(container = %container.id(), %error, "resume after the failed pause");
    let frozen = |record: &mut Record| {
        if let Some(state) = containers::next(&record.state, Event::Paused) {
            record.state = state;
        }
    };
    // An `unpause` then works.
    if let Err(error) = services.containers.note(container, frozen).await {
        tracing::error!(container = %container.id(), %error, "note that it is frozen");
    }
}
