//! The version of what the records say, whatever they are stored in, and the steps from one to the next.

use crate::{Listing, Result, Revision, StateStore, StoreError, Transaction};

const KEY: &str = "state/schema";

/// One step.
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    /// The version that it leads to: one more than the step before.
    pub to: u64,
    /// What changes, for the log.
    pub about: &'static str,
    /// The changes to what there is. Carried out together with the note of the version, or not at all.
    pub changes: fn(&Listing) -> Result<Transaction>,
}

/// Brings the records to the version that the last of `migrations` leads to (1 if there are none), in their order, and returns the
/// version that was found.
///
/// # Errors
/// [`StoreError::NewerRecords`], and those of the steps.
pub async fn upgrade(store: &dyn StateStore, migrations: &[Migration]) -> Result<u64> {
    let known = migrations.last().map_or(1, |last| last.to);
    let noted = store.get(KEY).await?;
    let found = match &noted {
        Some(entry) => serde_json::from_slice(&entry.value)
            .map_err(|source| StoreError::BadRecord { key: KEY.to_owned(), source })?,
        // Nothing to bring anywhere.
        None if store.list("").await?.entries.is_empty() => known,
        // From before versions were noted.
        None => 1,
    };
    if found > known {
        return Err(StoreError::NewerRecords { found, known });
    }
    let mut revision = noted.map(|entry| entry.modified);
    if revision.is_none() {
        revision = Some(note(store, Transaction::new(), None, found).await?);
    }
    for step in migrations.iter().filter(|step| step.to > found) {
        tracing::info!(to = step.to, about = step.about, "bringing the records to a newer schema");
        let changes = (step.changes)(&store.list("").await?)?;
        revision = Some(note(store, changes, revision, step.to).await?);
    }
    Ok(found)
}

async fn note(
    store: &dyn StateStore,
    changes: Transaction,
    before: Option<Revision>,
    version: u64,
) -> Result<Revision> {
    let changes = match before {
        Some(revision) => changes.unchanged(KEY, revision),
        None => changes.absent(KEY),
    };
    store.commit(changes.put(KEY, version.to_string().into_bytes())).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn double(listing: &Listing) -> Result<Transaction> {
        let numbers = listing.entries.iter().filter(|(key, _)| key.starts_with("n/"));
        Ok(numbers.fold(Transaction::new(), |all, (key, entry)| {
            all.put(key.clone(), [&*entry.value, &*entry.value].concat())
        }))
    }

    fn rename(_: &Listing) -> Result<Transaction> {
        Ok(Transaction::new().put("new", *b"1").delete("old"))
    }

    fn fail(_: &Listing) -> Result<Transaction> {
        Err(StoreError::Closed)
    }

    const fn step(to: u64, changes: fn(&Listing) -> Result<Transaction>) -> Migration {
        Migration { to, about: "a test", changes }
    }

    async fn open(dir: &tempfile::TempDir) -> Arc<dyn StateStore> {
        let store = crate::open_redb(&dir.path().join("s")).unwrap();
        store.commit(Transaction::new().put("n/1", *b"a").put("old", *b"1")).await.unwrap();
        store
    }

    #[tokio::test]
    async fn steps_are_taken_in_order_and_once() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir).await;
        assert_eq!(upgrade(&*store, &[]).await.unwrap(), 1);
        assert_eq!(upgrade(&*store, &[step(2, double)]).await.unwrap(), 1);
        let all = [step(2, double), step(3, double), step(4, rename)];
        assert_eq!(upgrade(&*store, &all).await.unwrap(), 2);
        assert_eq!(upgrade(&*store, &all).await.unwrap(), 4);
        assert_eq!(&*store.get("n/1").await.unwrap().unwrap().value, b"aaaa");
        assert!(store.get("old").await.unwrap().is_none() && store.get("new").await.unwrap().is_some());
        let error = upgrade(&*store, &all[..2]).await.unwrap_err();
        assert!(matches!(error, StoreError::NewerRecords { found: 4, known: 3 }), "{error}");
    }

    #[tokio::test]
    async fn a_step_that_fails_leaves_the_version_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = open(&dir).await;
        upgrade(&*store, &[step(2, double), step(3, fail)]).await.unwrap_err();
        assert_eq!(&*store.get(KEY).await.unwrap().unwrap().value, b"2");
        upgrade(&*store, &[step(2, double), step(3, double)]).await.unwrap();
        assert_eq!(&*store.get("n/1").await.unwrap().unwrap().value, b"aaaa");
    }

    #[tokio::test]
    async fn a_new_store_has_the_latest() {
        let dir = tempfile::tempdir().unwrap();
        let store = crate::open_redb(&dir.path().join("s")).unwrap();
        assert_eq!(upgrade(&*store, &[step(2, fail)]).await.unwrap(), 2);
    }
}
