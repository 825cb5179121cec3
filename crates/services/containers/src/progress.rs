//! Containers that are being made or removed: something of them may be there without a record, and rightly.

use crate::Containers;
use ids::ContainerId;
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;

/// How many are at work on each.
#[derive(Debug, Clone, Default)]
pub(crate) struct Progress(Arc<Mutex<BTreeMap<ContainerId, usize>>>);

/// Says, until it is dropped, that a container is being made or removed.
#[derive(Debug)]
pub struct InProgress {
    id: ContainerId,
    all: Progress,
}

impl Containers {
    /// Notes that a container is being made or removed.
    #[must_use]
    pub fn begin(&self, id: &ContainerId) -> InProgress {
        *self.progress.0.lock().entry(id.clone()).or_default() += 1;
        InProgress { id: id.clone(), all: self.progress.clone() }
    }

    /// Those that are being made or removed.
    pub fn in_progress(&self) -> Vec<ContainerId> {
        self.progress.0.lock().keys().cloned().collect()
    }
}

impl Drop for InProgress {
    fn drop(&mut self) {
        let mut all = self.all.0.lock();
        if let Some(count) = all.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.id);
            }
        }
    }
}
