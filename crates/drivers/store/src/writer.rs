//! The one thread that writes to a local store: it takes every transaction that waits, has them carried out together, and answers all.

use crate::{Result, Revision, StoreError, Transaction};
use futures_util::future::{BoxFuture, FutureExt};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Bounds how long the first of a batch waits for the last one's changes to be applied.
const BATCH: usize = 512;

/// What became of a transaction before the sync.
pub(crate) type Verdict = Result<Revision, StoreError>;

/// Where batches go. Lives on the writer's thread, and is dropped there when the store is closed.
pub(crate) trait Sink: Send + 'static {
    /// Carries out what can be, makes it durable and visible, and says what became of each.
    fn write(&mut self, transactions: Vec<Transaction>) -> Result<Vec<Verdict>>;
}

struct Job {
    transaction: Transaction,
    answer: oneshot::Sender<Result<Revision>>,
}

/// The writer thread's queue. Dropping it waits until everything in the queue is on disk.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// `path` is for messages.
    pub(crate) fn start(path: PathBuf, sink: impl Sink) -> Result<Self> {
        let (queue, jobs) = channel();
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(&jobs, sink))
            .map_err(|error| StoreError::Open { path, source: Box::new(error) })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    pub(crate) fn commit(&self, transaction: Transaction) -> BoxFuture<'static, Result<Revision>> {
        match self.submit(transaction) {
            Ok(answer) => async move { answer.await.unwrap_or(Err(StoreError::Closed)) }.boxed(),
            Err(error) => std::future::ready(Err(error)).boxed(),
        }
    }

    fn submit(&self, transaction: Transaction) -> Result<oneshot::Receiver<Result<Revision>>> {
        transaction.validate()?;
        let (answer, receiver) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or(StoreError::Closed)?;
        queue.send(Job { transaction, answer }).map_err(|_| StoreError::Closed)?;
        Ok(receiver)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!("the state store's writer panicked");
        }
    }
}

fn serve(jobs: &Receiver<Job>, mut sink: impl Sink) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(BATCH - 1));
        let (transactions, answers): (Vec<_>, Vec<_>) =
            batch.into_iter().map(|job| (job.transaction, job.answer)).unzip();
        match sink.write(transactions) {
            // An answer that nobody waits for any more is no failure.
            Ok(verdicts) => {
                verdicts.into_iter().zip(answers).for_each(|(verdict, answer)| drop(answer.send(verdict)))
            }
            Err(error) => answers.into_iter().for_each(|answer| drop(answer.send(Err(error.again())))),
        }
    }
}
