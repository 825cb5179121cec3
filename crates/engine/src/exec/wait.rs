//! The end of an exec whose output has ended.

use super::table::ExecState;
use crate::Services;
use ids::ExecId;
use std::time::Duration;

/// Waits until the exit code of an exec whose output has ended is known: clients ask for it as soon as the stream ends.
/// Bounded, since a process may close its output and go on.
pub async fn wait(services: &Services, exec: &ExecId) {
    const PATIENCE: Duration = Duration::from_secs(2);
    let Ok(exec) = services.execs.find(exec.as_str()) else { return };
    let ended = async {
        loop {
            let end = exec.end.notified();
            if matches!(*exec.state.lock(), ExecState::Ended { .. }) {
                return;
            }
            end.await;
        }
    };
    let _ = tokio::time::timeout(PATIENCE, ended).await; // late is told as still running, which is then true
}
