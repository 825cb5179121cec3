//! Records that come from elsewhere, into etcd. It takes so little at once that a copy can be cut off: a marker says so until it is whole.

use super::{MARKER, Options, follow, open};
use crate::clear::clear_but;
use crate::{Entry, Listing, Result, StateStore, StoreError, Transaction};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Of one transaction: well below what etcd takes.
const OPERATIONS: usize = 100;
const BYTES: usize = 512 << 10;

/// Puts these records below the prefix of `options`, and sees that they are there. Their revisions become etcd's.
///
/// `replace`: what is there goes; so does what an earlier copy left that was cut off. One that came to its end counts.
///
/// # Errors
/// [`StoreError::NotEmpty`] if there are other records and they should stay, and those of [`super::open_etcd`].
pub async fn fill_etcd(options: &Options, listing: &Listing, replace: bool) -> Result<()> {
    let store = open(options).await?;
    let place = || format!("etcd below {}", options.prefix);
    let there = follow::list(&store.shared).await?.entries;
    if holds(&there, listing) {
        return Ok(());
    }
    if !there.is_empty() && !there.contains_key(MARKER) && !replace {
        return Err(StoreError::NotEmpty { place: place() });
    }
    store.commit(Transaction::new().put(MARKER, *b"true")).await?;
    clear_but(&*store, Some(MARKER)).await?;
    let mut batch = Batch::new(&*store);
    for (key, entry) in &listing.entries {
        batch.add(key, entry).await?;
    }
    batch.end().await?;
    // While the marker says that it is no store yet, so that another try may follow.
    let mut found = follow::list(&store.shared).await?.entries;
    found.remove(MARKER);
    if !holds(&found, listing) {
        return Err(StoreError::NotGivenBack { place: place() });
    }
    store.commit(Transaction::new().delete(MARKER)).await?;
    Ok(())
}

/// Whether these are exactly the keys and values of `listing`.
fn holds(found: &BTreeMap<String, Entry>, listing: &Listing) -> bool {
    let found = found.iter().map(|(key, entry)| (key, &entry.value));
    found.eq(listing.entries.iter().map(|(key, entry)| (key, &entry.value)))
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

    async fn add(&mut self, key: &str, entry: &Entry) -> Result<()> {
        let bytes = entry.value.len();
        if self.transaction.operations.len() == OPERATIONS || self.bytes + bytes > BYTES {
            self.end().await?;
        }
        self.bytes += bytes;
        self.transaction = std::mem::take(&mut self.transaction).put(key, Arc::clone(&entry.value));
        Ok(())
    }

    async fn end(&mut self) -> Result<()> {
        self.bytes = 0;
        self.store.commit(std::mem::take(&mut self.transaction)).await?;
        Ok(())
    }
}
