//! Whether and when the restart policy starts an ended container again.

use crate::Services;
use containers::{Container, Event, ExitRecord, Record, State};
use errors::Result;
use spec::RestartPolicy;
use std::sync::Arc;
use std::time::Duration;

/// How long until the policy starts the container again; none: it stays down.
///
/// Waits double from 100 ms to a minute with each run in a row that did not last.
pub(super) fn restart_delay(record: &Record, exit: &ExitRecord, short_runs: u32) -> Option<Duration> {
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
pub(super) fn short_runs(container: &Container, record: &Record, exit: &ExitRecord) -> u32 {
    const LASTING_NANOS: i64 = 10_000_000_000;
    if record.restart_count == 0 {
        container.forget_short_runs();
    }
    let ran = exit.finished_at - record.state.started_at().unwrap_or(exit.finished_at);
    container.count_short_run(ran >= LASTING_NANOS)
}

/// Starts it after the delay, unless somebody calls that off.
pub(super) fn restart_later(services: &Arc<Services>, container: &Arc<Container>, delay: Duration) {
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
