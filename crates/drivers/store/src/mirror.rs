//! All records in memory, where a backend whose records are elsewhere (in files, on a server) reads them.
//!
//! A reader takes a lock for as long as it copies pointers; nobody holds it over a disk or a network.

use crate::history::{History, Limits};
use crate::watch::{Change, Watch};
use crate::{Entry, Listing, Result, Revision, key};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use tokio::sync::watch;

/// The records at one revision.
#[derive(Debug, Default)]
pub(crate) struct Records {
    pub(crate) revision: Revision,
    pub(crate) entries: BTreeMap<String, Entry>,
}

/// The records, and what changed lately.
#[derive(Debug)]
pub(crate) struct Mirror {
    records: RwLock<Records>,
    history: History,
    /// The revision that readers see.
    reached: watch::Sender<Revision>,
}

impl Mirror {
    pub(crate) fn new(records: Records, limits: Limits) -> Self {
        let history = History::new(records.revision, limits);
        let reached = watch::Sender::new(records.revision);
        Self { records: RwLock::new(records), history, reached }
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, Records> {
        self.records.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Records> {
        self.records.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, key: &str) -> Result<Option<Entry>> {
        key::validate(key)?;
        Ok(self.read().entries.get(key).cloned())
    }

    pub(crate) fn list(&self, prefix: &str) -> Listing {
        let records = self.read();
        let from = records.entries.range::<str, _>((Bound::Included(prefix), Bound::Unbounded));
        let entries = from.take_while(|(key, _)| key.starts_with(prefix));
        let entries = entries.map(|(key, entry)| (key.clone(), entry.clone())).collect();
        Listing { revision: records.revision, entries }
    }

    pub(crate) fn watch(&self, prefix: &str, from: Revision) -> Result<Watch> {
        let now = self.read().revision;
        self.history.watch(prefix, from, now)
    }

    /// Makes changes visible, in the order of their revisions.
    pub(crate) fn apply(&self, changes: Vec<Change>) {
        let Some(revision) = changes.last().map(|change| change.revision) else { return };
        let mut records = self.write();
        for change in &changes {
            match &change.value {
                Some(entry) => records.entries.insert(change.key.clone(), entry.clone()),
                None => records.entries.remove(&change.key),
            };
        }
        records.revision = revision;
        drop(records);
        self.history.publish(changes);
        self.reached.send_replace(revision);
    }

    /// Takes these records instead of what was there: watchers are told to list again.
    pub(crate) fn replace(&self, records: Records) {
        let revision = records.revision;
        *self.write() = records;
        self.history.align(revision);
        self.reached.send_replace(revision);
    }

    /// Waits until readers see `revision`.
    pub(crate) async fn reaches(&self, revision: Revision) {
        let mut reached = self.reached.subscribe();
        // It can't be closed: the sender is ours.
        let _ = reached.wait_for(|reached| *reached >= revision).await;
    }
}
