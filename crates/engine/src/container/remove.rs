//! `rm`: the record, the writable layer and the name go; what is slow goes in the background.

use crate::Services;
use ::events::ContainerAction;
use containers::{Container, MountPointKind, Record, State};
use errors::{Class, Error, Result};
use std::sync::Arc;
use store::Transaction;

/// How to remove.
#[derive(Debug, Clone, Copy, Default)]
pub struct Remove {
    /// Kill it if it runs.
    pub force: bool,
    /// Remove its anonymous volumes too.
    pub volumes: bool,
    /// Remove a link instead of a container.
    pub link: bool,
}

/// Removes a container.
///
/// # Errors
/// `Conflict` when it runs and `force` is off, or when its removal is in progress.
pub async fn remove(services: &Arc<Services>, reference: &str, how: Remove) -> Result<()> {
    if how.link {
        return super::links::remove(services, reference).await;
    }
    let container = services.containers.find(reference)?;
    remove_container(services, &container, how).await
}

pub(crate) async fn remove_container(
    services: &Arc<Services>,
    container: &Arc<Container>,
    how: Remove,
) -> Result<()> {
    if !how.force {
        // Before anybody sees a removal in progress, which a start, also one by policy, gives way to.
        refuse_running(container)?;
    }
    if container.set_removing(true) {
        return Err(Error::new(
            Class::Conflict,
            format!("removal of container {} is already in progress", container.id()),
        ));
    }
    let _removing = services.containers.begin(container.id());
    let removed = remove_marked(services, container, how).await;
    if removed.is_err() {
        container.set_removing(false);
    }
    removed
}

async fn remove_marked(services: &Arc<Services>, container: &Arc<Container>, how: Remove) -> Result<()> {
    let _verb = if how.force {
        // A `stop` with much patience holds the verb lock: kill under its feet, it then ends at once.
        kill_for_removal(services, container).await?;
        container.verb_lock.lock().await
    } else {
        container.verb_lock.lock().await
    };
    if !how.force {
        refuse_running(container)?;
    } else if container.state().is_live() {
        super::stop::kill_locked(container).await?;
    }
    let _cleanup = container.cleanup_lock.lock().await;
    let record = container.record();
    if services.containers.get(container.id()).is_none() {
        return Err(Error::new(Class::NotFound, format!("No such container: {}", container.id())));
    }
    if let Err(error) = release(services, container, how).await {
        // Nothing was removed: the container is what it was.
        container.notify_removal_failed(&error.to_string());
        return Err(error.context(format!("remove container {}", container.id())));
    }
    services.events.publish(super::event(&ContainerAction::Destroy, &record));
    container.notify_removed();
    Ok(())
}

async fn kill_for_removal(services: &Services, container: &Arc<Container>) -> Result<()> {
    if container.state().is_live() {
        services.containers.note(container, |record| record.stopped_by_user = true).await?;
        if let Some(task) = container.task() {
            if task.kill(9, true).await.is_ok() {
                super::kill::publish(services, container, 9);
            }
            if matches!(container.state(), State::Paused { .. }) {
                let _ = task.resume().await;
            }
        }
    }
    Ok(())
}

/// The record goes first, and if it can't, nothing does: what a removal leaves that the engine did not live to finish, or that failed half-way, belongs
/// to no record then, and goes with the next start of the engine. A record without its layer could not be started.
async fn release(services: &Arc<Services>, container: &Arc<Container>, how: Remove) -> Result<()> {
    let record = container.record();
    let steps = undo::Undo::new("container.remove");
    steps.step("forget the record")?;
    let id = container.id().as_str();
    let leaving = leaving(services, &record, how);
    let tied = services.volumes.tie(leaving.iter().copied(), Some(id), Transaction::new())?;
    services.containers.delete(container, tied).await?;
    services.volumes.tied(leaving, Some(id));
    let layer = match steps.step("release the writable layer") {
        Ok(()) => services.images.release(container.id().as_str()).await.map_err(Error::from),
        Err(error) => Err(error.into()),
    };
    let directory = steps
        .step("remove the container's directory")
        .map_err(Error::from)
        .and_then(|()| Ok(services.trash.discard(&services.container_dir(container.id()))?));
    for error in [layer, directory].into_iter().filter_map(Result::err) {
        tracing::error!(container = %container.id(), %error, "a removed container's files stay until the next start");
    }
    steps.disarm();
    if let Ok(image) = record.image.id.parse() {
        services.images.touch(&image);
    }
    for mount in &record.mounts {
        if let MountPointKind::Volume { name, anonymous, .. } = &mount.kind {
            services.volumes.release(name, container.id().as_str());
            if how.volumes
                && *anonymous
                && let Err(error) = crate::volume::remove(services, name, true).await
            {
                tracing::warn!(container = %container.id(), volume = %name, %error, "remove its anonymous volume");
                // Another container has it since.
                if error.class() == Class::Conflict
                    && let Err(error) = services.volumes.untie(name).await
                {
                    tracing::warn!(volume = %name, error = errors::chain(&error), "let a volume stay");
                }
            }
        }
    }
    Ok(())
}

/// The volumes that go with the container.
fn leaving<'a>(services: &Services, record: &'a Record, how: Remove) -> Vec<&'a str> {
    let anonymous = record.mounts.iter().filter_map(|mount| match &mount.kind {
        MountPointKind::Volume { name, anonymous: true, .. } => Some(name.as_str()),
        _ => None,
    });
    let is_alone =
        |name: &&str| services.volumes.containers(name).iter().all(|one| one == record.id.as_str());
    anonymous.filter(|_| how.volumes).filter(is_alone).collect()
}

fn refuse_running(container: &Container) -> Result<()> {
    match container.state() {
        State::Running { .. } => {
            Err(in_use(container, "running", "stop the container before removing or force remove"))
        }
        State::Paused { .. } => Err(Error::new(
            Class::Conflict,
            format!(
                "cannot remove container \"{}\": container is paused and must be unpaused first",
                container.record().name
            ),
        )),
        State::Restarting { .. } => {
            Err(in_use(container, "restarting", "stop the container before removing or force remove"))
        }
        State::Created { .. } | State::Exited { .. } => Ok(()),
    }
}

fn in_use(container: &Container, state: &str, advice: &str) -> Error {
    let name = container.record().name.clone();
    Error::new(Class::Conflict, format!("cannot remove container \"{name}\": container is {state}: {advice}"))
}
