//! Batches as redb's: one after the other inside a single redb transaction, synced once.

use super::ballast::Ballast;
use super::file::{META, RECORDS, REVISION, StoreFile};
use crate::history::History;
use crate::watch::Change;
use crate::writer::{Sink, Verdict};
use crate::{Entry, Operation, Result, Revision, StoreError, Transaction};
use redb::{ReadableTable, Table};
use std::sync::Arc;

/// The file, and the history that its watchers follow.
pub(super) struct Batches {
    pub(super) file: Arc<StoreFile>,
    pub(super) history: Arc<History>,
    pub(super) ballast: Ballast,
}

impl Sink for Batches {
    fn write(&mut self, transactions: Vec<Transaction>) -> Result<Vec<Verdict>> {
        match write(&transactions, &self.file, &self.history) {
            Err(full @ StoreError::Io { full: true, .. }) if transactions.iter().any(deletes) => {
                self.on_a_full_disk(&transactions, full)
            }
            Ok(verdicts) => {
                self.ballast.take();
                Ok(verdicts)
            }
            failed => failed,
        }
    }
}

/// Whether it makes room, more or less.
fn deletes(transaction: &Transaction) -> bool {
    transaction.operations.iter().any(|(_, operation)| *operation == Operation::Delete)
}

impl Batches {
    /// Carries out what deletes, with the blocks that are kept for that; all else fails as it did.
    fn on_a_full_disk(&mut self, transactions: &[Transaction], full: StoreError) -> Result<Vec<Verdict>> {
        if !self.ballast.give_up() {
            return Err(full);
        }
        let making_room: Vec<_> = transactions.iter().filter(|each| deletes(each)).cloned().collect();
        let mut verdicts = write(&making_room, &self.file, &self.history)?.into_iter();
        let verdict = |transaction| {
            if deletes(transaction) { verdicts.next() } else { None }.unwrap_or_else(|| Err(full.again()))
        };
        Ok(transactions.iter().map(verdict).collect())
    }
}

fn write(transactions: &[Transaction], file: &StoreFile, history: &History) -> Result<Vec<Verdict>> {
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
    file.committed(changes.last().map_or(0, |change| change.revision));
    // Before the answers, so that whoever got one can watch from its revision.
    history.publish(changes);
    Ok(verdicts)
}

fn apply_all(
    writing: &redb::WriteTransaction,
    transactions: &[Transaction],
    history: &History,
) -> Result<(Vec<Verdict>, Vec<Change>), redb::Error> {
    let mut meta = writing.open_table(META)?;
    let before = meta.get(REVISION)?.map_or(0, |value| value.value());
    // A commit that failed may be on disk nevertheless.
    history.align(before);
    let (mut records, mut revision, mut changes) = (writing.open_table(RECORDS)?, before, Vec::new());
    let mut verdicts = Vec::with_capacity(transactions.len());
    for transaction in transactions {
        if let Some(conflict) = first_conflict(&records, transaction)? {
            verdicts.push(Err(conflict));
            continue;
        }
        let made = apply(&mut records, revision + 1, &transaction.operations)?;
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
    operations: &[(String, Operation)],
) -> Result<Vec<Change>, redb::Error> {
    let mut changes = Vec::with_capacity(operations.len());
    for (key, operation) in operations {
        let value = match operation {
            Operation::Put(value) => {
                let created = records.get(key.as_str())?.map_or(revision, |stored| stored.value().0);
                records.insert(key.as_str(), (created, revision, &**value))?;
                Some(Entry { value: Arc::clone(value), created, modified: revision })
            }
            Operation::Delete if records.remove(key.as_str())?.is_none() => continue,
            Operation::Delete => None,
        };
        changes.push(Change { revision, key: key.clone(), value });
    }
    Ok(changes)
}
