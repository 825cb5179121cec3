//! `wait`: until a container stops, or is gone.

use crate::Services;
use containers::{ExitNotice, State};
use errors::{Class, Error, Result};
use std::sync::Arc;

/// What to wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WaitFor {
    /// Not running now, or no longer.
    #[default]
    NotRunning,
    /// The next exit, even if it does not run yet.
    NextExit,
    /// Its removal, or that this failed.
    Removed,
}

/// What was waited for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waited {
    /// Exit code of the last run.
    pub code: i64,
    /// What went wrong beside the exit.
    pub error: Option<String>,
}

/// Looks the container up at once and answers the wait itself, so that a server can send its headers first.
///
/// # Errors
/// `NotFound`.
pub async fn wait(
    services: &Arc<Services>,
    reference: &str,
    what: WaitFor,
) -> Result<impl Future<Output = Waited> + Send + 'static + use<>> {
    let container = services.containers.find(reference)?;
    let mut notices = container.watch();
    let exits = notices.borrow_and_update().exits;
    let record = container.record();
    let busy = record.state.is_live() || matches!(record.state, State::Restarting { .. });
    if services.containers.get(container.id()).is_none() {
        return Err(Error::new(Class::NotFound, format!("No such container: {reference}")));
    }
    drop(container);
    Ok(async move {
        let met = |notice: &ExitNotice| match what {
            WaitFor::NotRunning => !busy || notice.exits > exits || notice.removed,
            WaitFor::NextExit => notice.exits > exits || notice.removed,
            WaitFor::Removed => notice.removed || notice.removal_failed.is_some(),
        };
        // An error means that the handle is gone with the container: the last notice stands.
        let _ = notices.wait_for(met).await;
        if what == WaitFor::NotRunning && !busy {
            return ended(&record.state);
        }
        let notice = notices.borrow();
        let failed = notice.removal_failed.clone().filter(|_| what == WaitFor::Removed && !notice.removed);
        let error = failed.or_else(|| (!notice.error.is_empty()).then(|| notice.error.clone()));
        Waited { code: notice.code.into(), error }
    })
}

/// What the record says of the last run: it may know of an exit that waiters are just about to be told of.
fn ended(state: &State) -> Waited {
    let (code, error) = match state {
        State::Created { failure: Some((code, message)) } => (i64::from(*code), message.as_str()),
        state => state.exit().map_or((0, ""), |exit| (exit.code.into(), exit.error.as_str())),
    };
    Waited { code, error: (!error.is_empty()).then(|| error.to_owned()) }
}
