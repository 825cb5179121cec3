//! What happens when a container's init process ends: the record, the event, then the restart policy or `--rm`.

use super::restart_policy::{restart_delay, restart_later, short_runs};
use super::{cleanup, remove};
use crate::Services;
use ::events::ContainerAction;
use containers::{Container, Event, ExitRecord, Record};
use runtime::{Task, WaitOutcome};
use std::sync::Arc;
use std::time::Duration;

/// Waits in the background for the end of a running container.
pub(super) fn await_exit(services: &Arc<Services>, container: &Arc<Container>, task: Task) {
    let (services, container) = (Arc::clone(services), Arc::clone(container));
    tokio::spawn(async move {
        // Those who came while it was being started. In a box, as the end is: each container has this future for all its life.
        Box::pin(super::attach::serve_waiting(&container, &task)).await;
        let outcome = task.wait().await;
        let error = match outcome {
            WaitOutcome::Exited(_) => String::new(),
            WaitOutcome::ShimLost(_) => "the container's shim died; what it left was killed".to_owned(),
        };
        if matches!(outcome, WaitOutcome::ShimLost(_)) {
            tracing::warn!(
                disagreement = crate::system::SHIM_LOST,
                container = %container.id(),
                "a container's shim has died: the end of the container is recorded"
            );
        }
        let exit = outcome.exit();
        let exit = ExitRecord {
            code: exit.status,
            started_at: 0,
            finished_at: exit.at,
            oom_killed: exit.oom_killed,
            error,
        };
        Box::pin(ended(&services, &container, Some(task), exit)).await;
    });
}

/// Records an exit, clears the run away, and lets the restart policy or `--rm` have their say.
pub(super) async fn ended(
    services: &Arc<Services>,
    container: &Arc<Container>,
    task: Option<Task>,
    exit: ExitRecord,
) {
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
    let gone = cleanup::end_run(services, &before, task.as_ref()).await;
    match stored {
        Ok(_) if gone => cleanup::discard_bundle(services, &before),
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
pub(super) fn remove_later(services: &Arc<Services>, container: &Arc<Container>) {
    let (services, container) = (Arc::clone(services), Arc::clone(container));
    tokio::spawn(async move {
        if container.is_removing() {
            return; // somebody was faster, by force
        }
        // Not by force: somebody may have started it again meanwhile.
        let remove = super::Remove { force: false, volumes: true, link: false };
        if let Err(error) = remove::remove_container(&services, &container, remove).await {
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
