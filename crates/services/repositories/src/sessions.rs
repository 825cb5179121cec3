//! Uploads that are open between requests, so that nothing is read and hashed again for the next piece.
//!
//! What is not here is on its storage, and comes back with [`crate::Storage::resume`].

use crate::storage::Upload;
use crate::{RepositoryName, UploadId};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Mutex as AsyncMutex;

/// An upload that nobody wrote to for so long is put down; the next request takes it up again.
const IDLE: Duration = Duration::from_secs(300);

/// So many at most, each an open file; the one that was used least recently is put down for the next.
const OPEN: usize = 256;

/// The place of one upload. Empty: nobody has opened it since this process started, or it was put down.
pub(crate) type Slot = Arc<AsyncMutex<Option<Box<dyn Upload>>>>;

#[derive(Debug, Default)]
pub(crate) struct Sessions {
    slots: Mutex<HashMap<(RepositoryName, UploadId), (Slot, Instant)>>,
}

impl Sessions {
    /// The place of an upload. Whoever holds its lock is the only one to write.
    pub(crate) fn slot(&self, repository: &RepositoryName, id: &UploadId) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        slots.retain(|_, (slot, used)| now.duration_since(*used) < IDLE || Arc::strong_count(slot) > 1);
        let key = (repository.clone(), id.clone());
        if slots.len() >= OPEN && !slots.contains_key(&key) {
            let idle = slots.iter().filter(|(_, (slot, _))| Arc::strong_count(slot) == 1);
            let oldest = idle.min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone());
            oldest.map(|key| slots.remove(&key));
        }
        let (slot, used) = slots.entry(key).or_insert_with(|| (Slot::default(), now));
        *used = now;
        Arc::clone(slot)
    }

    /// Forgets an upload that has ended, or never was.
    pub(crate) fn forget(&self, repository: &RepositoryName, id: &UploadId) {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        slots.remove(&(repository.clone(), id.clone()));
    }

    /// Whether it is open here.
    pub(crate) fn is_open(&self, repository: &RepositoryName, id: &UploadId) -> bool {
        let slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = slots.get(&(repository.clone(), id.clone()));
        slot.is_some_and(|(slot, used)| used.elapsed() < IDLE || Arc::strong_count(slot) > 1)
    }
}
