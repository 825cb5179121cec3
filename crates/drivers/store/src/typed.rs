//! Records as JSON: what the services put into the store and get out of it.

use crate::{Entry, Result, Revision, StateStore, StoreError, Transaction};
use serde::{Serialize, de::DeserializeOwned};

/// A record and the revision at which it was last modified.
pub async fn get_as<T: DeserializeOwned>(store: &dyn StateStore, key: &str) -> Result<Option<(T, Revision)>> {
    let Some(entry) = store.get(key).await? else { return Ok(None) };
    Ok(Some((decode(key, &entry)?, entry.modified)))
}

/// Every record below `prefix` with the part of its key behind it, and the revision of the listing.
///
/// # Errors
/// One record that cannot be read fails the whole listing and is named; callers that rather want to go on
/// without it list and decode themselves.
pub async fn list_as<T: DeserializeOwned>(
    store: &dyn StateStore,
    prefix: &str,
) -> Result<(Revision, Vec<(String, T, Revision)>)> {
    let listing = store.list(prefix).await?;
    let decoded = listing.entries.into_iter().map(|(key, entry)| {
        let value = decode(&key, &entry)?;
        Ok((key[prefix.len()..].to_owned(), value, entry.modified))
    });
    Ok((listing.revision, decoded.collect::<Result<_>>()?))
}

/// Adds to `transaction` the put of `value` as JSON.
pub fn put_as<T: Serialize>(transaction: Transaction, key: &str, value: &T) -> Result<Transaction> {
    let bytes =
        serde_json::to_vec(value).map_err(|source| StoreError::BadRecord { key: key.to_owned(), source })?;
    Ok(transaction.put(key, bytes))
}

fn decode<T: DeserializeOwned>(key: &str, entry: &Entry) -> Result<T> {
    serde_json::from_slice(&entry.value)
        .map_err(|source| StoreError::BadRecord { key: key.to_owned(), source })
}
