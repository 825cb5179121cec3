//! `stop`: ask, wait, kill.

use crate::Services;
use ::events::ContainerAction;
use containers::{Container, State};
use errors::{Class, Error, Result};
use runtime::Task;
use std::sync::Arc;
use std::time::Duration;

/// How to stop.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Signal to ask with; none: the container's.
    pub signal: Option<String>,
    /// Seconds to wait before killing; none: the container's; negative: for ever.
    pub timeout: Option<i32>,
}

/// Stops a running container; a person's wish, which `unless-stopped` remembers.
///
/// # Errors
/// `AlreadyDone` when it does not run, `Invalid` for an unknown signal.
pub async fn stop(services: &Arc<Services>, reference: &str, how: Stop) -> Result<()> {
    let container = services.containers.find(reference)?;
    let _verb = container.verb_lock.lock().await;
    if !container.state().is_live() && !matches!(container.state(), State::Restarting { .. }) {
        return Err(Error::new(Class::AlreadyDone, format!("container {} is not running", container.id())));
    }
    asked_signal(&container, &how)?;
    services.containers.note(&container, |record| record.stopped_by_user = true).await?;
    stop_locked(services, &container, &how).await?;
    // It may have ended by itself just before, with a restart due.
    super::restart_policy::cancel_restart(services, &container).await?;
    services.events.publish(super::event(&ContainerAction::Stop, &container.record()));
    Ok(())
}

/// Ends the present run with the verb lock held; returns once its exit is recorded.
pub(crate) async fn stop_locked(services: &Services, container: &Arc<Container>, how: &Stop) -> Result<()> {
    let Some(task) = live_task(container)? else { return Ok(()) };
    let signal = asked_signal(container, how)?;
    let patience = match how.timeout.or(container.record().spec.process.stop_timeout).unwrap_or(10) {
        seconds if seconds < 0 => None,
        seconds => Some(Duration::from_secs(u64::from(seconds.unsigned_abs()))),
    };
    let mut notices = container.watch();
    let exits = notices.borrow_and_update().exits;
    if !container.state().is_live() {
        return Ok(());
    }
    match task.kill(signal, false).await {
        Ok(()) => super::kill::publish(services, container, signal),
        Err(error) => tracing::debug!(container = %container.id(), %error, "ask to stop"),
    }
    // A frozen process acts on no signal.
    if matches!(container.state(), State::Paused { .. })
        && let Err(error) = task.resume().await
    {
        // The shim has thawed it by itself, for SIGKILL; else patience ends.
        tracing::debug!(container = %container.id(), %error, "thaw what is asked to stop");
    }
    let ended = notices.wait_for(|notice| notice.exits > exits);
    let asked = match patience {
        Some(patience) => tokio::time::timeout(patience, ended).await.is_ok(),
        None => ended.await.is_ok(),
    };
    if asked {
        return Ok(());
    }
    if container.state().is_live() {
        super::kill::publish(services, container, 9);
    }
    kill_locked(container).await
}

fn asked_signal(container: &Container, how: &Stop) -> Result<i32> {
    let process = &container.record().spec.process;
    let name = how.signal.as_deref().or(process.stop_signal.as_deref()).unwrap_or("SIGTERM");
    super::kill::signal_number(name)
}

/// Kills what runs and waits for the record of it, with the verb lock held.
pub(crate) async fn kill_locked(container: &Arc<Container>) -> Result<()> {
    const LIMIT: Duration = Duration::from_secs(30);
    let Some(task) = live_task(container)? else { return Ok(()) };
    let mut notices = container.watch();
    let exits = notices.borrow_and_update().exits;
    if !container.state().is_live() {
        return Ok(());
    }
    let killed = task.kill(9, true).await;
    if matches!(container.state(), State::Paused { .. }) {
        // cgroup v1's freezer holds even a killed process.
        let _ = task.resume().await;
    }
    match tokio::time::timeout(LIMIT, notices.wait_for(|notice| notice.exits > exits)).await {
        Ok(_) => Ok(()),
        Err(_) => {
            killed?;
            Err(Error::new(
                Class::Unavailable,
                format!("container {} did not die within {LIMIT:?} of SIGKILL", container.id()),
            )
            .hint("A process of it may be stuck in the kernel: see `top` and the host's dmesg"))
        }
    }
}

/// The task of a run; none: it does not run. A container that runs without one was not adopted yet.
pub(super) fn live_task(container: &Container) -> Result<Option<Arc<Task>>> {
    match container.task() {
        None if container.state().is_live() => Err(Error::new(
            Class::Unavailable,
            format!("the shim of container {} has not answered since the engine was started", container.id()),
        )
        .hint("It is asked again every few seconds; `shim.log` in its bundle may say more")),
        task => Ok(task),
    }
}
