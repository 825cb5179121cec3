//! Running undo steps: in reverse, detached, bounded in time.

use errors::{Class, Classified, Error};
use futures_util::future::BoxFuture;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::task::{JoinError, JoinHandle};

/// One thing to give back.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) work: Work,
}

type Outcome = Result<(), Error>;

pub(crate) enum Work {
    Async(Box<dyn FnOnce() -> BoxFuture<'static, Outcome> + Send>),
    Blocking(Box<dyn FnOnce() -> Outcome + Send>),
}

/// An undo step that did not succeed: what it should have given back may still be there.
#[derive(Debug)]
pub struct Failure {
    /// The step's name.
    pub name: &'static str,
    /// Why.
    pub error: Error,
}

/// Why a step came to no result of its own.
#[derive(Debug, thiserror::Error)]
pub enum UndoError {
    /// It ran longer than allowed. Blocking work goes on; a task is cancelled.
    #[error("undo {verb} {step}: no result within {limit:?}")]
    TimedOut {
        /// The verb.
        verb: &'static str,
        /// The step.
        step: &'static str,
        /// The bound.
        limit: Duration,
    },
    /// It panicked.
    #[error("undo {verb} {step}")]
    Panicked {
        /// The verb.
        verb: &'static str,
        /// The step.
        step: &'static str,
        /// The panic.
        #[source]
        source: JoinError,
    },
}

impl Classified for UndoError {
    fn class(&self) -> Class {
        match self {
            Self::TimedOut { .. } => Class::Unavailable,
            Self::Panicked { .. } => Class::Internal,
        }
    }
}

/// Unwinds in a task of its own and waits for it.
pub(crate) async fn detached(verb: &'static str, steps: Vec<Step>, limit: Duration) -> Vec<Failure> {
    match tokio::spawn(run(verb, steps, limit)).await {
        Ok(failures) => failures,
        // Steps run in tasks of their own, so only the end of the runtime gets here.
        Err(source) => {
            let error = UndoError::Panicked { verb, step: "all", source }.into();
            vec![Failure { name: "all", error }]
        }
    }
}

/// Unwinds with nobody waiting, hence logs what failed. Without a runtime at hand it makes one in a thread.
pub(crate) fn in_background(verb: &'static str, steps: Vec<Step>, limit: Duration) {
    let work = async move {
        run(verb, steps, limit).await.iter().for_each(|failure| log(verb, failure));
    };
    match Handle::try_current() {
        Ok(runtime) => drop(runtime.spawn(work)),
        Err(_) => {
            std::thread::spawn(move || {
                match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => runtime.block_on(work),
                    Err(error) => tracing::error!(verb, %error, "undo impossible: no runtime"),
                }
            });
        }
    }
}

/// Tells the log of a failure that nobody else will hear of.
pub(crate) fn log(verb: &'static str, failure: &Failure) {
    let Failure { name, error } = failure;
    tracing::warn!(verb, step = name, %error, "undo failed, something may be left behind");
}

async fn run(verb: &'static str, steps: Vec<Step>, limit: Duration) -> Vec<Failure> {
    let mut failures = Vec::new();
    for Step { name, work } in steps.into_iter().rev() {
        if let Err(error) = bounded(verb, name, start(work), limit).await {
            failures.push(Failure { name, error });
        }
    }
    failures
}

/// Each step is a task, so that a panic in one is only its own failure.
fn start(work: Work) -> JoinHandle<Outcome> {
    match work {
        Work::Async(undo) => tokio::spawn(async move { undo().await }),
        Work::Blocking(undo) => tokio::task::spawn_blocking(undo),
    }
}

async fn bounded(
    verb: &'static str,
    step: &'static str,
    mut task: JoinHandle<Outcome>,
    limit: Duration,
) -> Outcome {
    match tokio::time::timeout(limit, &mut task).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(source)) => Err(UndoError::Panicked { verb, step, source }.into()),
        Err(_) => {
            task.abort();
            Err(UndoError::TimedOut { verb, step, limit }.into())
        }
    }
}
