//! What happens when a container's init process ends, seen or found out later.

use crate::Services;
use ::events::ContainerAction;
use containers::{Container, Event, ExitRecord, Record, State};
use errors::Result;
use ids::ContainerId;
use runtime::{Adopted, Task, WaitOutcome};
use spec::RestartPolicy;
use std::sync::Arc;
use std::time::Duration;

/// Waits in the background for the end of a running container.
pub(crate) fn spawn(services: &Arc<Services>, container: &Arc<Container>, task: Task) {
    let (services, container) = (Arc::clone(services), Arc::clone(container));
    tokio::spawn(async move {
        // Those who came while it was being started.
        super::attach::serve_waiting(&container, &task).await;
        let outcome = task.wait().await;
        let error = match outcome {
            WaitOutcome::Exited(_) => String::new(),
            WaitOutcome::ShimLost(_) => "the container's shim died; what it left was killed".to_owned(),
        };
        let exit = outcome.exit();
        let exit = ExitRecord {
            code: exit.status,
            started_at: 0,
            finished_at: exit.at,
            oom_killed: exit.oom_killed,
            error,
        };
        ended(&services, &container, Some(task), exit).await;
    });
}

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
                    adopt_pause(services, container, paused).await?;
                    container.set_task(Some(task.clone()));
                    spawn(services, container, task);
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
        State::Created { .. } | State::Restarting { .. } | State::Exited { .. } | State::Dead { .. } => {
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

/// Ends and clears away what an earlier run left, where the engine did not live to do so or could not.
///
/// # Errors
/// When its shim lives but does not answer, or something can't be ended.
pub(crate) async fn clear_leftovers(services: &Arc<Services>, container: &Container) -> Result<()> {
    if !services.bundle_dir(container.id()).exists() {
        return Ok(());
    }
    end_by_bundle(services, container.id()).await?;
    let record = container.record();
    end_run(services, &record, None).await;
    discard_bundle(services, &record);
    Ok(())
}

/// Ends what a bundle tells of. As long as that fails the bundle has to stay: nothing else leads to it.
///
/// # Errors
/// When its shim lives but does not answer, or something can't be ended.
pub(crate) async fn end_by_bundle(services: &Services, id: &ContainerId) -> Result<()> {
    let task = match services.runtimes.adopt(id, &services.bundle_dir(id)).await? {
        Adopted::Running { task, .. } => {
            let _ = task.kill(9, true).await;
            task.wait().await;
            Some(task)
        }
        Adopted::Exited(_, task) => task,
        Adopted::Lost => None,
    };
    if let Some(task) = task {
        task.delete().await?;
    }
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

/// Records an exit, clears the run away, and lets the restart policy or `--rm` have their say.
async fn ended(services: &Arc<Services>, container: &Arc<Container>, task: Option<Task>, exit: ExitRecord) {
    let cleanup = container.cleanup_lock.lock().await;
    let before = container.record();
    let held = container.is_held();
    let code = exit.code;
    let error = exit.error.clone();
    let told = container.set_out_of_memory(false);
    if exit.oom_killed && !told {
        services.events.publish(super::event(&ContainerAction::Oom, &before));
    }
    // The truth first: were the shim and its exit file gone before this is stored, a crash would lose the code.
    let mut delay = None;
    let choose = |record: &Record| {
        // A person may have stopped it since it ended: that is seen here or, by `stop`, afterwards.
        let short_runs = short_runs(container, record, &exit);
        delay = if held { None } else { restart_delay(record, &exit, short_runs) };
        Event::Exited { exit, restarting: delay.is_some() }
    };
    let stored = services.containers.advance_by(container, choose, |record| record.endpoints.clear()).await;
    container.set_task(None);
    publish_death(services, &container.record());
    container.notify_exit(code, &error);
    services.execs.forget_container(container.id());
    let gone = end_run(services, &before, task.as_ref()).await;
    match stored {
        Ok(_) if gone => discard_bundle(services, &before),
        Ok(_) => {}
        // The bundle stays: its exit file tells the next engine.
        Err(error) => tracing::error!(container = %container.id(), %error, "store the exit"),
    }
    drop(cleanup);

    if let Some(delay) = delay {
        restart_later(services, container, delay);
    } else if before.spec.auto_remove && !held {
        remove_later(services, container);
    }
}

/// Removes a container with `--rm`, and tells the log if that fails.
fn remove_later(services: &Arc<Services>, container: &Arc<Container>) {
    let (services, container) = (Arc::clone(services), Arc::clone(container));
    tokio::spawn(async move {
        if container.is_removing() {
            return; // somebody was faster, by force
        }
        // Not by force: somebody may have started it again meanwhile.
        let remove = super::Remove { force: false, volumes: true, link: false };
        if let Err(error) = super::remove::remove_container(&services, &container, remove).await {
            tracing::warn!(container = %container.id(), %error, "remove after the exit");
        }
    });
}

fn publish_death(services: &Services, record: &Record) {
    let Some(exit) = record.state.exit() else { return };
    let ran = u64::try_from(exit.finished_at - exit.started_at).unwrap_or(0);
    let action = ContainerAction::Die {
        exit_code: i32::try_from(exit.code).unwrap_or(255),
        ran: Duration::from_nanos(ran),
    };
    services.events.publish(super::event(&action, record));
}

/// Process and cgroup, mounts of volumes, network. Answers whether the process is gone: else its bundle is needed, to
/// find it again.
async fn end_run(services: &Arc<Services>, record: &Record, task: Option<&Task>) -> bool {
    super::connect::release(services, record);
    let delete = async {
        if let Some(task) = task
            && let Err(error) = task.delete().await
        {
            tracing::warn!(container = %record.id, %error, "remove the ended process from its shim");
            return false;
        }
        true
    };
    let unmount = async {
        for volume in record.volumes() {
            if let Err(error) = super::volumes::unmount(services, record, volume).await {
                tracing::warn!(container = %record.id, volume, %error, "unmount a volume");
            }
        }
    };
    tokio::join!(delete, unmount).0
}

fn discard_bundle(services: &Services, record: &Record) {
    if let Err(error) = services.state_trash.discard(&services.bundle_dir(&record.id)) {
        tracing::warn!(container = %record.id, %error, "remove the bundle");
    }
}

/// How long until the policy starts the container again; none: it stays down.
///
/// Waits double from 100 ms to a minute with each run in a row that did not last.
fn restart_delay(record: &Record, exit: &ExitRecord, short_runs: u32) -> Option<Duration> {
    if record.stopped_by_user {
        return None;
    }
    let again = match record.spec.restart {
        RestartPolicy::No => false,
        RestartPolicy::Always | RestartPolicy::UnlessStopped => true,
        RestartPolicy::OnFailure { max_retries } => {
            exit.code != 0 && (max_retries == 0 || record.restart_count < max_retries)
        }
    };
    again.then(|| Duration::from_millis(100 << short_runs.min(10)).min(Duration::from_secs(60)))
}

/// How many runs before this one did not last ten seconds, since one did or a person started it.
fn short_runs(container: &Container, record: &Record, exit: &ExitRecord) -> u32 {
    const LASTING_NANOS: i64 = 10_000_000_000;
    if record.restart_count == 0 {
        container.forget_short_runs();
    }
    let ran = exit.finished_at - record.state.started_at().unwrap_or(exit.finished_at);
    container.count_short_run(ran >= LASTING_NANOS)
}

fn restart_later(services: &Arc<Services>, container: &Arc<Container>, delay: Duration) {
    let (services, container) = (Arc::clone(services), Arc::clone(container));
    tokio::spawn(async move {
        tokio::time::sleep(delay).await;
        let _verb = container.verb_lock.lock().await;
        let State::Restarting { exit } = container.state() else { return };
        if container.is_removing() {
            return;
        }
        let restarted = if container.record().stopped_by_user {
            cancel_restart(&services, &container).await
        } else {
            super::start::start_locked(&services, &container, false).await
        };
        if let Err(error) = restarted {
            tracing::warn!(container = %container.id(), %error, "restart by policy");
            // Who waits for the container to stop has waited long enough.
            container.notify_exit(exit.code, &error.to_string());
        }
    });
}

/// Calls a pending restart off, if there is one, as a person's wish. With the verb lock held.
pub(super) async fn cancel_restart(services: &Services, container: &Container) -> Result<()> {
    let State::Restarting { exit } = container.state() else { return Ok(()) };
    let stopped = |record: &mut Record| record.stopped_by_user = true;
    services.containers.advance(container, Event::RestartCancelled, stopped).await?;
    container.notify_exit(exit.code, &exit.error);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_minute() {
        let mut record = crate::container::tests::record();
        record.spec.restart = RestartPolicy::Always;
        record.state = State::Running { pid: 1, started_at: 0 };
        let exit = |at| ExitRecord {
            code: 0,
            started_at: 0,
            finished_at: at,
            oom_killed: false,
            error: String::new(),
        };
        assert_eq!(restart_delay(&record, &exit(1), 0), Some(Duration::from_millis(100)));
        assert_eq!(restart_delay(&record, &exit(1), 3), Some(Duration::from_millis(800)));
        assert_eq!(restart_delay(&record, &exit(1), 50), Some(Duration::from_secs(60)));
        record.stopped_by_user = true;
        assert_eq!(restart_delay(&record, &exit(1), 0), None);
    }

    #[test]
    fn on_failure_counts_its_retries() {
        let mut record = crate::container::tests::record();
        record.spec.restart = RestartPolicy::OnFailure { max_retries: 2 };
        let exit = |code| ExitRecord {
            code,
            started_at: 0,
            finished_at: 1,
            oom_killed: false,
            error: String::new(),
        };
        assert!(restart_delay(&record, &exit(1), 0).is_some());
        assert!(restart_delay(&record, &exit(0), 0).is_none());
        record.restart_count = 2;
        assert!(restart_delay(&record, &exit(1), 0).is_none());
    }
}
