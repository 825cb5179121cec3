//! The open directory, as the writer's thread has it: commits, and the checkpoints between them.

use super::journal::Journal;
use super::{MANIFEST, RECORDS, manifest, record};
use crate::error::is_full;
use crate::mirror::Mirror;
use crate::watch::Change;
use crate::writer::{Sink, Verdict};
use crate::{Entry, Operation, Result, Revision, StoreError, Transaction};
use durable::{FileError, LockFile, Sync};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

#[derive(Debug)]
pub(super) struct Disk {
    pub(super) dir: PathBuf,
    pub(super) journal: Journal,
    pub(super) mirror: Arc<Mirror>,
    /// Keys whose files are not yet synced, or not yet written.
    pub(super) dirty: BTreeSet<String>,
    /// A journal of this length is cleared by a checkpoint.
    pub(super) checkpoint_bytes: u64,
    /// After a failed sync nobody knows what is in it: the next checkpoint makes it anew.
    pub(super) journal_failed: bool,
    pub(super) _lock: LockFile,
}

impl Sink for Disk {
    fn write(&mut self, transactions: Vec<Transaction>) -> Result<Vec<Verdict>> {
        if self.journal_failed || self.journal.length() > self.checkpoint_bytes {
            self.checkpoint_if_possible()?;
        }
        let (verdicts, changes) = self.evaluate(transactions);
        if changes.is_empty() {
            return Ok(verdicts);
        }
        if let Err(error) = self.journal.append(&changes) {
            self.journal_failed = !is_full(&error);
            return Err(self.failed(error));
        }
        for change in &changes {
            self.dirty.insert(change.key.clone());
            self.put_file(&change.key, change.revision, change.value.as_ref());
        }
        // Before the answers, so that whoever got one can read it and watch from its revision.
        self.mirror.apply(changes);
        Ok(verdicts)
    }
}

impl Disk {
    /// What each transaction comes to, one after the other.
    fn evaluate(&self, transactions: Vec<Transaction>) -> (Vec<Verdict>, Vec<Change>) {
        let records = self.mirror.read();
        let (mut revision, mut changes) = (records.revision, Vec::new());
        let mut over: BTreeMap<String, Option<Entry>> = BTreeMap::new();
        let verdicts = transactions.into_iter().map(|transaction| {
            let found = |over: &BTreeMap<String, Option<Entry>>, key: &str| match over.get(key) {
                Some(entry) => entry.clone(),
                None => records.entries.get(key).cloned(),
            };
            for (key, expected) in transaction.compares {
                let found = found(&over, &key).map(|entry| entry.modified);
                if !expected.holds(found) {
                    return Err(StoreError::Conflict { key, expected, found });
                }
            }
            let (next, before) = (revision + 1, changes.len());
            for (key, operation) in transaction.operations {
                let old = found(&over, &key);
                let value = match operation {
                    Operation::Put(value) => {
                        let created = old.map_or(next, |entry| entry.created);
                        Some(Entry { value, created, modified: next })
                    }
                    Operation::Delete if old.is_none() => continue,
                    Operation::Delete => None,
                };
                over.insert(key.clone(), value.clone());
                changes.push(Change { revision: next, key, value });
            }
            if changes.len() > before {
                revision = next;
            }
            Ok(revision)
        });
        let verdicts = verdicts.collect();
        (verdicts, changes)
    }

    /// Writes a record's file without waiting for the disk: the journal has it. What fails is done by the next checkpoint.
    fn put_file(&self, key: &str, revision: Revision, entry: Option<&Entry>) {
        let path = self.dir.join(RECORDS).join(record::file_name(key));
        let written = record::encode(key, revision, entry)
            .map_err(|error| FileError { action: "write", path: path.clone(), source: error.into() })
            .and_then(|bytes| durable::write_atomic_mode(&path, &bytes, 0o600, Sync::None));
        if let Err(error) = written {
            tracing::debug!(error = %errors::chain(&error), "a record stands only in the journal for now");
            if entry.is_none() {
                // Better no trace of the deletion than the record; on a full disk that is all that can be done.
                let _ = std::fs::remove_file(&path);
            }
        }
    }

    /// A checkpoint that fails is tried again with the next commit, unless there is no journal to commit to.
    fn checkpoint_if_possible(&mut self) -> Result<()> {
        match self.checkpoint() {
            Err(error) if self.journal_failed => Err(self.failed(error)),
            Err(error) => {
                tracing::warn!(%error, store = %self.dir.display(), "the state store's journal grows: it can't be cleared");
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    pub(super) fn needs_checkpoint(&self) -> bool {
        !self.dirty.is_empty() || self.journal.length() > 0
    }

    /// Makes the files durable, says so in the manifest, and clears the journal.
    pub(super) fn checkpoint(&mut self) -> io::Result<()> {
        let records = self.mirror.read();
        let dir = self.dir.join(RECORDS);
        let mut gone = Vec::new();
        for key in &self.dirty {
            let path = dir.join(record::file_name(key));
            let Some(entry) = records.entries.get(key) else {
                gone.push(path);
                continue;
            };
            let found = std::fs::read(&path).ok().and_then(|bytes| record::decode(&bytes).ok());
            let same =
                found.is_some_and(|(stored, found)| stored.key == *key && found.as_ref() == Some(entry));
            if same {
                File::open(&path)?.sync_all()?;
            } else {
                let bytes = record::encode(key, entry.modified, Some(entry))?;
                durable::write_atomic_mode(&path, &bytes, 0o600, Sync::File).map_err(|error| error.source)?;
            }
        }
        durable::sync_dir(&dir).map_err(|error| error.source)?;
        manifest::write(&self.dir.join(MANIFEST), &records).map_err(|error| error.source)?;
        drop(records);
        self.journal.clear()?;
        self.journal_failed = false;
        self.dirty.clear();
        for path in gone {
            if let Err(error) = durable::remove_optional(&path) {
                tracing::debug!(error = %errors::chain(&error), "a deleted record's file stays");
            }
        }
        Ok(())
    }

    fn failed(&self, error: io::Error) -> StoreError {
        let full = is_full(&error);
        StoreError::Io { action: "commit", path: self.dir.clone(), source: Arc::new(error), full }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.needs_checkpoint()
            && let Err(error) = self.checkpoint()
        {
            tracing::warn!(%error, store = %self.dir.display(), "the state store was closed without a checkpoint");
        }
    }
}
