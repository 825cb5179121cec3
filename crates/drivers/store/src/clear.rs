//! Removing everything, with no transaction larger than every backend takes.

use crate::{Result, StateStore, Transaction};

/// Of one transaction.
const MANY: usize = 100;

/// Deletes all records.
///
/// # Errors
/// The store's; some of them may be gone then.
pub async fn clear(store: &dyn StateStore) -> Result<()> {
    clear_but(store, None).await
}

/// The same, but for one key.
pub(crate) async fn clear_but(store: &dyn StateStore, kept: Option<&str>) -> Result<()> {
    let listing = store.list("").await?;
    let keys = listing.entries.into_iter().map(|(key, _)| key).filter(|key| Some(&**key) != kept);
    let keys: Vec<_> = keys.collect();
    for part in keys.chunks(MANY) {
        store.commit(part.iter().fold(Transaction::new(), |all, key| all.delete(key))).await?;
    }
    Ok(())
}
