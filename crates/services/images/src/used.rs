//! When images were last of use to somebody. Kept in memory, and written with the records now and then: to lose the last few
//! minutes of it costs nothing.

use crate::index::{Index, Stored};
use crate::records::image_key;
use crate::{Images, Result};
use oci::Digest;
use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use store::{Transaction, put_as};

impl Images {
    /// Notes that the image is of use now.
    pub fn touch(&self, id: &Digest) {
        self.used().insert(id.clone(), now());
    }

    /// When the image came, was tagged, or was used for a container, whichever was last. Unix time in nanoseconds.
    pub fn last_used(&self, id: &Digest) -> Option<i64> {
        let index = self.index();
        let record = &index.images.get(id)?.record;
        let known = [Some(record.stored), record.last_tagged, record.last_used, self.used().get(id).copied()];
        known.into_iter().flatten().max()
    }

    /// Whether other images were made from this one.
    pub fn has_children(&self, id: &Digest) -> bool {
        self.index().children(id).next().is_some()
    }

    /// Writes what only the memory knows.
    pub async fn record_uses(&self) -> Result<()> {
        let _writing = self.inner.writing.lock().await;
        let used = std::mem::take(&mut *self.used());
        let (mut index, mut transaction, mut changed) =
            (Index::clone(&self.index()), Transaction::new(), false);
        for (id, at) in used {
            if let Some(Stored { record, .. }) = index.images.get_mut(&id) {
                record.last_used = record.last_used.max(Some(at));
                transaction = put_as(transaction, &image_key(&id), record)?;
                changed = true;
            }
        }
        if changed {
            self.inner.store.commit(transaction).await?;
            self.inner.index.store(Arc::new(index));
        }
        Ok(())
    }

    fn used(&self) -> MutexGuard<'_, HashMap<Digest, i64>> {
        self.inner.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Unix time in nanoseconds.
pub(crate) fn now() -> i64 {
    jiff::Timestamp::now().as_nanosecond() as i64
}
