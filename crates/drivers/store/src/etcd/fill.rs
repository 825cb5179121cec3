//! Records that come from elsewhere, into etcd. It takes so little at once that a copy can be cut off: a marker says so until it is whole.

use super::{MARKER, Options, open};
use crate::{Listing, Result, StateStore, StoreError, Transaction};

/// Of one transaction: well below what etcd takes.
const OPERATIONS: usize = 100;
const BYTES: usize = 512 << 10;

/// Puts these records below the prefix of `options`. Their revisions become etcd's.
///
/// `replace`: what is there goes; so does what an earlier copy left that was cut off.
///
/// # Errors
/// [`StoreError::NotEmpty`] if there are records and they should stay, and those of [`super::open_etcd`].
pub async fn fill_etcd(options: &Options, listing: &Listing, replace: bool) -> Result<()> {
    let store = open(options).await?;
    let there = store.list("").await?;
    let half = there.entries.iter().any(|(key, _)| key == MARKER);
    if !there.entries.is_empty() && !half && !replace {
        return Err(StoreError::NotEmpty { place: format!("etcd below {}", options.prefix) });
    }
    store.commit(Transaction::new().put(MARKER, *b"true")).await?;
    let old = there.entries.iter().filter(|(key, _)| key != MARKER);
    let mut batch = Batch::new(&*store);
    for (key, _) in old {
        batch.add(0, |transaction| transaction.delete(key)).await?;
    }
    // One transaction can't both delete a key and put it.
    batch.end().await?;
    for (key, entry) in &listing.entries {
        batch.add(entry.value.len(), |transaction| transaction.put(key, entry.value.clone())).await?;
    }
    batch.end().await?;
    store.commit(Transaction::new().delete(MARKER)).await?;
    Ok(())
}

struct Batch<'s> {
    store: &'s dyn StateStore,
    transaction: Transaction,
    bytes: usize,
}

impl<'s> Batch<'s> {
    fn new(store: &'s dyn StateStore) -> Self {
        Self { store, transaction: Transaction::new(), bytes: 0 }
    }

    async fn add(&mut self, bytes: usize, change: impl FnOnce(Transaction) -> Transaction) -> Result<()> {
        if self.transaction.operations.len() == OPERATIONS || self.bytes + bytes > BYTES {
            self.end().await?;
        }
        self.bytes += bytes;
        self.transaction = change(std::mem::take(&mut self.transaction));
        Ok(())
    }

    async fn end(&mut self) -> Result<()> {
        self.bytes = 0;
        self.store.commit(std::mem::take(&mut self.transaction)).await?;
        Ok(())
    }
}
