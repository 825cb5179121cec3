//! The one thread that writes: it takes every transaction that waits, applies them one after the other inside a
//! single redb transaction, syncs once, and answers all.

use super::file::{META, RECORDS, REVISION, StoreFile};
use crate::history::History;
use crate::watch::Change;
use crate::{Entry, Operation, Result, Revision, StoreError, Transaction};
use futures_util::future::{BoxFuture, FutureExt};
use redb::{ReadableTable, Table};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use tokio::sync::oneshot;

/// Bounds how long the first of a batch waits for the last one's changes to be applied.
const BATCH: usize = 512;

struct Job {
    transaction: Transaction,
    answer: oneshot::Sender<Result<Revision>>,
}

/// The writer thread's queue. Dropping it waits until everything in the queue is on disk.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(file: Arc<StoreFile>, history: Arc<History>) -> Result<Self> {
        let (queue, jobs) = channel();
        let path = file.path().to_owned();
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || serve(&jobs, &file, &history))
            .map_err(|error| StoreError::Open { path, source: Box::new(error) })?;
        Ok(Self { queue: Some(queue), thread: Some(thread) })
    }

    pub(super) fn commit(&self, transaction: Transaction) -> BoxFuture<'static, Result<Revision>> {
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

fn serve(jobs: &Receiver<Job>, file: &StoreFile, history: &History) {
    while let Ok(first) = jobs.recv() {
        let mut batch = vec![first];
        batch.extend(jobs.try_iter().take(BATCH - 1));
        commit_batch(batch, file, history);
    }
}

/// What became of a transaction before the sync.
type Verdict = Result<Revision, StoreError>;

fn commit_batch(batch: Vec<Job>, file: &StoreFile, history: &History) {
    let (transactions, answers): (Vec<_>, Vec<_>) =
        batch.into_iter().map(|job| (job.transaction, job.answer)).unzip();
    match write(transactions, file, history) {
        // An answer that nobody waits for any more is no failure.
        Ok(verdicts) => {
            verdicts.into_iter().zip(answers).for_each(|(verdict, answer)| drop(answer.send(verdict)))
        }
        Err(error) => answers.into_iter().for_each(|answer| drop(answer.send(Err(error.again())))),
    }
}

fn write(transactions: Vec<Transaction>, file: &StoreFile, history: &History) -> Result<Vec<Verdict>> {
    let writing = file.begin_write()?;
    let (verdicts, changes) = match apply_all(&writing, transactions, history) {
        Ok(applied) => applied,
        Err(error) => {
            // The file cannot be closed, hence not be opened anew, under a transaction.
            drop(writing);
            return Err(file.failed("commit", error));
        }
    };
    if changes.is_empty() {
        writing.abort().map_err(|error| file.failed("commit", error.into()))?;
        return Ok(verdicts);
    }
    writing.commit().map_err(|error| file.failed("commit", error.into()))?;
    // Before the answers, so that whoever got one can watch from its revision.
    history.publish(changes);
    Ok(verdicts)
}

fn apply_all(
    writing: &redb::WriteTransaction,
    transactions: Vec<Transaction>,
    history: &History,
) -> Result<(Vec<Verdict>, Vec<Change>), redb::Error> {
    let mut meta = writing.open_table(META)?;
    let before = meta.get(REVISION)?.map_or(0, |value| value.value());
    // A commit that failed may be on disk nevertheless.
    history.align(before);
    let (mut records, mut revision, mut changes) = (writing.open_table(RECORDS)?, before, Vec::new());
    let mut verdicts = Vec::with_capacity(transactions.len());
    for transaction in transactions {
        if let Some(conflict) = first_conflict(&records, &transaction)? {
            verdicts.push(Err(conflict));
            continue;
        }
        let made = apply(&mut records, revision + 1, transaction.operations)?;
        revision += u64::from(!made.is_empty());
        changes.extend(made);
        verdicts.push(Ok(revision));
    }
    meta.insert(REVISION, revision)?;
    Ok((verdicts, changes))
}

type Records<'t> = Table<'t, &'static str, (u64, u64, &'static [u8])>;

fn first_conflict(
    records: &Records<'_>,
    transaction: &Transaction,
) -> Result<Option<StoreError>, redb::Error> {
    for (key, expected) in &transaction.compares {
        let found = records.get(key.as_str())?.map(|stored| stored.value().1);
        if !expected.holds(found) {
            return Ok(Some(StoreError::Conflict { key: key.clone(), expected: *expected, found }));
        }
    }
    Ok(None)
}

fn apply(
    records: &mut Records<'_>,
    revision: Revision,
    operations: Vec<(String, Operation)>,
) -> Result<Vec<Change>, redb::Error> {
    let mut changes = Vec::with_capacity(operations.len());
    for (key, operation) in operations {
        let value = match operation {
            Operation::Put(value) => {
                let created = records.get(key.as_str())?.map_or(revision, |stored| stored.value().0);
                records.insert(key.as_str(), (created, revision, &*value))?;
                Some(Entry { value, created, modified: revision })
            }
            Operation::Delete if records.remove(key.as_str())?.is_none() => continue,
            Operation::Delete => None,
        };
        changes.push(Change { revision, key, value });
    }
    Ok(changes)
}
