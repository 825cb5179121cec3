//! Waiting for the end of a process: one outstanding call to the shim, however many wait, and never for ever.

use crate::error::Error;
use crate::rpc::Rpc;
use crate::task::is_not_found;
use containerd_shim_protos::api::{WaitRequest, WaitResponse};
use protobuf::well_known_types::timestamp::Timestamp;
use shim_protocol::Exit;
use std::sync::OnceLock;
use std::time::Duration;
use sys::clock::now;
use tokio::sync::watch;
use tokio::task::AbortHandle;

/// Before a shim is asked again that could not say how a process ended.
const PAUSE: Duration = Duration::from_secs(5);

/// How waiting ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitOutcome {
    /// The shim saw the process end.
    Exited(Exit),
    /// The shim died first; what it left was killed.
    ShimLost(Exit),
}

impl WaitOutcome {
    /// The exit, whoever saw it.
    pub fn exit(self) -> Exit {
        match self {
            Self::Exited(exit) | Self::ShimLost(exit) => exit,
        }
    }
}

/// The shared wait for one process.
#[derive(Debug, Default)]
pub(crate) struct Waiting(OnceLock<Started>);

#[derive(Debug)]
struct Started {
    task: AbortHandle,
    outcome: watch::Receiver<Option<WaitOutcome>>,
}

impl Waiting {
    /// The outcome; the first to ask starts `wait` in the background.
    pub(crate) async fn outcome<F>(&self, wait: impl FnOnce() -> F) -> WaitOutcome
    where
        F: Future<Output = WaitOutcome> + Send + 'static,
    {
        let mut outcome = self.begin(wait).outcome.clone();
        match outcome.wait_for(Option::is_some).await.map(|outcome| *outcome) {
            Ok(Some(outcome)) => outcome,
            // Given up, or torn down with the whole program.
            Ok(None) | Err(_) => WaitOutcome::ShimLost(killed(false)),
        }
    }

    /// Starts `wait` in the background, unless somebody has.
    fn begin<F>(&self, wait: impl FnOnce() -> F) -> &Started
    where
        F: Future<Output = WaitOutcome> + Send + 'static,
    {
        self.0.get_or_init(|| {
            let (sender, outcome) = watch::channel(None);
            let wait = wait();
            let task = tokio::spawn(async move { sender.send_replace(Some(wait.await)) }).abort_handle();
            Started { task, outcome }
        })
    }

    /// Starts `wait` in the background before anybody asks.
    pub(crate) fn ahead<F>(&self, wait: impl FnOnce() -> F)
    where
        F: Future<Output = WaitOutcome> + Send + 'static,
    {
        self.begin(wait);
    }

    /// Ends the wait for a process that does not come to be.
    pub(crate) fn give_up(&self) {
        if let Some(started) = self.0.get() {
            started.task.abort();
        }
    }

    /// The outcome, if it is known already.
    pub(crate) fn known(&self) -> Option<WaitOutcome> {
        self.0.get().and_then(|started| *started.outcome.borrow())
    }
}

/// Asks until the shim tells how a process ended, or that there is no such process, or until the shim itself has ended.
/// Anything else that it may say is no news of the process.
///
/// # Errors
/// [`Error::ShimGone`], and [`Error::Refused`] for what the shim does not know.
pub(crate) async fn insist(rpc: &Rpc, id: &str, exec: &str) -> Result<Exit, Error> {
    loop {
        match ask(rpc, id, exec).await {
            Err(error) if !matches!(error, Error::ShimGone { .. }) && !is_not_found(&error) => {
                tracing::warn!(
                    container = id,
                    exec,
                    error = errors::chain(&error),
                    "wait; it is asked again"
                );
                tokio::time::sleep(PAUSE).await;
            }
            told => return told,
        }
    }
}

/// Asks the shim to tell when a process ends.
async fn ask(rpc: &Rpc, id: &str, exec: &str) -> Result<Exit, Error> {
    let request = WaitRequest { id: id.to_owned(), exec_id: exec.to_owned(), ..WaitRequest::default() };
    let response: WaitResponse = rpc.call_unlimited("Wait", &request).await?;
    let at = nanoseconds(response.exited_at.as_ref());
    Ok(Exit { status: response.exit_status, at, oom_killed: false })
}

/// The exit of a process that was killed with its shim.
pub(crate) fn killed(oom_killed: bool) -> Exit {
    Exit { status: 137, at: now(), oom_killed }
}

/// Nanoseconds since 1970; an absent or empty timestamp is now.
pub(crate) fn nanoseconds(timestamp: Option<&Timestamp>) -> i64 {
    match timestamp.filter(|timestamp| timestamp.seconds > 0) {
        Some(timestamp) => {
            timestamp.seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(timestamp.nanos))
        }
        None => now(),
    }
}
