//! Bringing a container's record in line with what went on while the engine did not run.

use super::cleanup::clear_leftovers;
use super::exit::{await_exit, ended, remove_later};
use super::freeze::thaw_left;
use super::restart_policy::restart_later;
use crate::Services;
use containers::{Container, Event, ExitRecord, Record, State};
use errors::Result;
use runtime::Adopted;
use spec::RestartPolicy;
use std::sync::Arc;
use std::time::Duration;

/// Brings the record of a container in line with what the kernel and its shim say, after a restart of the engine.
///
/// # Errors
/// The store's.
pub(crate) async fn adopt(services: &Arc<Services>, container: &Arc<Container>) -> Result<()> {
    let record = container.record();
    match &record.state {
        State::Running { .. } | State::Paused { .. } => {
            let bundle = services.bundle_dir(container.id());
            match services.runtimes.adopt(container.id(), &bundle).await? {
                Adopted::Running { task, paused } => {
                    let paused = thaw_left(services, container, &task, paused).await?;
                    adopt_pause(services, container, paused).await?;
                    if let Err(error) = services.networks.keep_namespace(container.id(), task.pid()).await {
                        tracing::warn!(container = %container.id(), error = %errors::chain(&error), "its network");
                    }
                    container.set_task(Some(task.clone()));
                    await_exit(services, container, task);
                }
                Adopted::Exited(exit, task) => {
                    let exit = ExitRecord {
                        code: exit.status,
                        started_at: 0,
                        finished_at: exit.at,
                        oom_killed: exit.oom_killed,
                        error: String::new(),
                    };
                    container.set_task(task.clone());
                    ended(services, container, task, exit).await;
                }
                Adopted::Lost => {
                    tracing::warn!(
                        disagreement = crate::system::CONTAINER_DEAD,
                        container = %container.id(),
                        "a container that was recorded as running has ended, and nobody saw how"
                    );
                    let exit = ExitRecord {
                        code: 255,
                        started_at: 0,
                        finished_at: crate::now(),
                        oom_killed: false,
                        error: "it ended while the engine was not running, and nobody saw how".to_owned(),
                    };
                    ended(services, container, None, exit).await;
                }
            }
        }
        // A start, or the clearing away after an exit, that the engine did not live to finish.
        State::Created { .. } | State::Restarting { .. } | State::Exited { .. } => {
            clear_leftovers(services, container).await?;
            match &record.state {
                State::Restarting { .. } => restart_later(services, container, Duration::ZERO),
                State::Exited { .. } if record.spec.auto_remove => remove_later(services, container),
                State::Exited { .. } if wants_start_at_boot(&record) => start_at_boot(services, container),
                _ => {}
            }
        }
    }
    Ok(())
}

/// The engine may have died between the freezing, or thawing, and the record of it.
async fn adopt_pause(services: &Services, container: &Container, paused: bool) -> Result<()> {
    let event = match (container.state(), paused) {
        (State::Running { .. }, true) => Event::Paused,
        (State::Paused { .. }, false) => Event::Unpaused,
        _ => return Ok(()),
    };
    services.containers.advance(container, event, |_| {}).await?;
    Ok(())
}

/// `always` starts at boot what a person had stopped, too; `unless-stopped` does not.
fn wants_start_at_boot(record: &Record) -> bool {
    match record.spec.restart {
        RestartPolicy::Always => true,
        RestartPolicy::UnlessStopped => !record.stopped_by_user,
        RestartPolicy::No | RestartPolicy::OnFailure { .. } => false,
    }
}

/// Starts it as if a person had asked: what was stopped before counts no longer.
fn start_at_boot(services: &Arc<Services>, container: &Arc<Container>) {
    let (services, container) = (Arc::clone(services), Arc::clone(container));
    tokio::spawn(async move {
        let _verb = container.verb_lock.lock().await;
        if !matches!(container.state(), State::Exited { .. }) {
            return;
        }
        if let Err(error) = super::start::start_locked(&services, &container, true).await {
            tracing::warn!(container = %container.id(), %error, "start at boot");
        }
    });
}
