//! The latest changes, kept in memory for watchers.
//!
//! Bounded by count and by bytes. A watcher has no buffer of its own but a position in this ring, so that a slow or
//! forgotten one costs nothing: it is told that the history moved on, and lists again. The history begins anew when
//! the store is opened; a watch from a revision before that is told the same.

use crate::watch::{Change, Watch};
use crate::{Result, Revision, StoreError};
use futures_util::stream;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// How many changes a watcher takes out of the ring at once, holding its lock.
const BATCH: usize = 64;

/// What the ring may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) changes: usize,
    pub(crate) bytes: usize,
}

impl Limits {
    /// For an engine.
    pub(crate) const USUAL: Self = Self { changes: 4096, bytes: 2 << 20 };
}

#[derive(Debug)]
struct Ring {
    changes: VecDeque<Change>,
    /// Position of `changes[0]`, counted since the store was opened.
    first: u64,
    /// Bytes of the keys and values in `changes`.
    bytes: usize,
    /// A watch may start from here or later.
    oldest: Revision,
    /// The store's revision.
    current: Revision,
    limits: Limits,
}

/// The ring and the bell that tells watchers to look at it.
#[derive(Debug)]
pub(crate) struct History {
    ring: Arc<Mutex<Ring>>,
    bell: watch::Sender<()>,
}

impl History {
    /// An empty history of a store that is at `revision`.
    pub(crate) fn new(revision: Revision, limits: Limits) -> Self {
        let ring = Ring {
            changes: VecDeque::new(),
            first: 0,
            bytes: 0,
            oldest: revision,
            current: revision,
            limits,
        };
        Self { ring: Arc::new(Mutex::new(ring)), bell: watch::Sender::new(()) }
    }

    /// Appends what was committed, in the order of its revisions.
    pub(crate) fn publish(&self, changes: Vec<Change>) {
        let mut ring = lock(&self.ring);
        changes.into_iter().for_each(|change| ring.push(change));
        ring.shrink();
        drop(ring);
        self.bell.send_replace(());
    }

    /// Makes sure that the history ends where the store is: if a change got lost, everything before is forgotten.
    pub(crate) fn align(&self, revision: Revision) {
        let mut ring = lock(&self.ring);
        if ring.current != revision {
            ring.reset(revision);
            drop(ring);
            self.bell.send_replace(());
        }
    }

    /// See [`StateStore::watch`](crate::StateStore::watch). `now` is the store's revision as a reader sees it, which
    /// may be ahead of the history for a moment.
    pub(crate) fn watch(&self, prefix: &str, from: Revision, now: Revision) -> Result<Watch> {
        let bell = self.bell.subscribe();
        let position = lock(&self.ring).position_after(from, now)?;
        let cursor = Cursor {
            ring: Arc::clone(&self.ring),
            bell,
            prefix: prefix.to_owned(),
            from,
            position,
            ready: VecDeque::new(),
        };
        Ok(Watch::new(stream::try_unfold(cursor, Cursor::step)))
    }
}

impl Ring {
    fn push(&mut self, change: Change) {
        self.current = change.revision;
        self.bytes += weight(&change);
        self.changes.push_back(change);
    }

    /// Forgets the oldest revisions, whole ones, until the limits hold.
    fn shrink(&mut self) {
        let full = |ring: &Self| ring.changes.len() > ring.limits.changes || ring.bytes > ring.limits.bytes;
        let forgotten =
            |ring: &Self| ring.changes.front().is_some_and(|change| change.revision <= ring.oldest);
        while full(self) || forgotten(self) {
            let Some(change) = self.changes.pop_front() else { return };
            self.first += 1;
            self.bytes -= weight(&change);
            self.oldest = change.revision;
        }
    }

    fn reset(&mut self, revision: Revision) {
        // One further, so that every watcher finds itself before the beginning.
        self.first += self.changes.len() as u64 + 1;
        self.changes.clear();
        self.bytes = 0;
        self.oldest = revision;
        self.current = revision;
    }

    fn position_after(&self, from: Revision, now: Revision) -> Result<u64> {
        if from > now.max(self.current) {
            return Err(StoreError::FutureRevision { from, current: now });
        }
        if from < self.oldest {
            return Err(StoreError::Compacted { from, oldest: self.oldest });
        }
        Ok(self.first + self.changes.partition_point(|change| change.revision <= from) as u64)
    }
}

fn weight(change: &Change) -> usize {
    size_of::<Change>() + change.key.len() + change.value.as_ref().map_or(0, |entry| entry.value.len())
}

fn lock(ring: &Mutex<Ring>) -> MutexGuard<'_, Ring> {
    ring.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A watcher's place in the ring.
struct Cursor {
    ring: Arc<Mutex<Ring>>,
    bell: watch::Receiver<()>,
    prefix: String,
    /// The revision up to which this watcher knows everything.
    from: Revision,
    position: u64,
    ready: VecDeque<Change>,
}

impl Cursor {
    async fn step(mut self) -> Result<Option<(Change, Self)>> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                return Ok(Some((change, self)));
            }
            self.bell.mark_unchanged();
            if !self.fill()? && self.bell.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    /// Takes the next batch; false if there is nothing new in the ring.
    fn fill(&mut self) -> Result<bool> {
        let ring = lock(&self.ring);
        let Some(start) = self.position.checked_sub(ring.first) else {
            return Err(StoreError::Compacted { from: self.from, oldest: ring.oldest });
        };
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        let (mut seen, before) = (0, self.ready.len());
        for change in ring.changes.iter().skip(start) {
            seen += 1;
            if change.revision > self.from && change.key.starts_with(&self.prefix) {
                self.ready.push_back(change.clone());
                if self.ready.len() - before == BATCH {
                    break;
                }
            }
        }
        self.position += seen;
        Ok(seen > 0)
    }
}
