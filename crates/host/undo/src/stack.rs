//! The stack of undo steps that a verb builds up.

use crate::inject::{self, Injected};
use crate::unwind::{self, Failure, Step, Work};
use futures_util::future::BoxFuture;
use std::fmt;
use std::time::Duration;

/// What a verb has taken so far, each with the way to give it back.
///
/// Dropped without [`disarm`](Self::disarm), it unwinds in a task of its own: dropping the verb's future (a client
/// that went away) is a failure like any other.
#[must_use = "an Undo that is dropped at once undoes at once"]
pub struct Undo {
    verb: &'static str,
    limit: Duration,
    steps: Vec<Step>,
}

impl Undo {
    /// Nothing to undo yet. `verb` is the name by which failures are injected: `container.create`.
    pub fn new(verb: &'static str) -> Self {
        Self { verb, limit: Duration::from_secs(10), steps: Vec::new() }
    }

    /// Bounds each undo step by `limit` instead of 10 seconds.
    pub fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// Stands before every step of a verb: a test may let it fail here, and the trace log tells how long each took.
    ///
    /// # Errors
    /// [`Injected`], if [`inject::configure`] asked for it.
    pub fn step(&self, name: &'static str) -> Result<(), Injected> {
        tracing::trace!(verb = self.verb, step = name);
        inject::pass(self.verb, name)
    }

    /// Registers how to give back what was just taken. `undo` is called only if it comes to that.
    pub fn push(
        &mut self,
        name: &'static str,
        undo: impl FnOnce() -> BoxFuture<'static, Result<(), errors::Error>> + Send + 'static,
    ) {
        self.steps.push(Step { name, work: Work::Async(Box::new(undo)) });
    }

    /// As [`push`](Self::push), for work that may block; it runs on the pool for such work.
    pub fn push_sync(
        &mut self,
        name: &'static str,
        undo: impl FnOnce() -> Result<(), errors::Error> + Send + 'static,
    ) {
        self.steps.push(Step { name, work: Work::Blocking(Box::new(undo)) });
    }

    /// The verb succeeded: everything stays.
    pub fn disarm(mut self) {
        self.steps.clear();
    }

    /// Takes over the steps of a part of this verb that succeeded.
    pub fn absorb(&mut self, mut part: Self) {
        self.steps.append(&mut part.steps);
    }

    /// Ends the verb with `outcome`: a success keeps everything, a failure undoes it before it is returned.
    ///
    /// What cannot be undone is logged, since the caller wants to hear of the verb's own error.
    pub async fn settle<T>(self, outcome: Result<T, errors::Error>) -> Result<T, errors::Error> {
        if outcome.is_ok() {
            self.disarm();
        } else {
            let verb = self.verb;
            self.unwind().await.iter().for_each(|failure| unwind::log(verb, failure));
        }
        outcome
    }

    /// Undoes everything, the last first, and returns what failed.
    ///
    /// The work goes on if the returned future is dropped.
    pub async fn unwind(mut self) -> Vec<Failure> {
        let (verb, steps, limit) = (self.verb, std::mem::take(&mut self.steps), self.limit);
        if steps.is_empty() {
            return Vec::new();
        }
        unwind::detached(verb, steps, limit).await
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        let steps = std::mem::take(&mut self.steps);
        if !steps.is_empty() {
            unwind::in_background(self.verb, steps, self.limit);
        }
    }
}

impl fmt::Debug for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let steps: Vec<_> = self.steps.iter().map(|step| step.name).collect();
        f.debug_struct("Undo").field("verb", &self.verb).field("steps", &steps).finish()
    }
}
