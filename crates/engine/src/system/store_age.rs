//! Whether the store is the one that the disk belongs to, or an older one that somebody has put in its place.
//!
//! Of a container that the store does not know it can't be told else whether it was half removed or is from after the backup. So the
//! store's revision is noted beside it; a store whose revision is lower is older. Each driver counts its own revisions, so that those of
//! records from elsewhere say nothing.

use durable::Sync;
use errors::Result;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use store::{Revision, StateStore};

const FILE: &str = "state.revision";
/// What each engine has records below, from its first start on.
const ENGINE: &str = "engine/";

/// See the module.
#[derive(Debug)]
pub struct StoreAge {
    file: PathBuf,
    older: AtomicBool,
    noted: AtomicU64,
}

impl StoreAge {
    /// Compares the store in `root` with what was noted.
    ///
    /// # Errors
    /// The store's, and where the note can't be read.
    pub(super) async fn of(root: &Path, store: &Arc<dyn StateStore>) -> Result<Self> {
        let file = root.join(FILE);
        let noted = noted(&file)?;
        let found = store.list(ENGINE).await?;
        // An etcd in which others write may be further with a prefix that is empty.
        let older = found.revision < noted || (noted > 0 && found.entries.is_empty());
        let age = Self { file, older: AtomicBool::new(older), noted: AtomicU64::new(noted) };
        if older {
            // However far this store goes on: until what it does not know is gone.
            age.write(Revision::MAX);
        }
        Ok(age)
    }

    /// Before a store gets records of which nobody knows how old they are: what they do not name may be from after them.
    ///
    /// # Errors
    /// Of the disk.
    pub(super) fn distrust(root: &Path) -> Result<()> {
        Ok(durable::write_atomic(&root.join(FILE), Revision::MAX.to_string().as_bytes(), Sync::FileAndDir)?)
    }

    /// After all records went to another store, which counts anew; the one that they are from was at revision `source`.
    ///
    /// # Errors
    /// Of the disk.
    pub(super) fn forget(root: &Path, source: Revision) -> Result<()> {
        let file = root.join(FILE);
        if noted(&file)? > source {
            return Self::distrust(root);
        }
        durable::remove_tree(&file)?;
        Ok(())
    }

    /// Whether it is older than the disk, and there may be containers that it does not know.
    pub(crate) fn is_older(&self) -> bool {
        self.older.load(Ordering::Relaxed)
    }

    /// Nothing is left that it does not know.
    pub(super) fn settle(&self) {
        self.older.store(false, Ordering::Relaxed);
        self.noted.store(0, Ordering::Relaxed);
    }

    /// Notes how far it is.
    pub(super) async fn note(&self, store: &Arc<dyn StateStore>) {
        if self.is_older() {
            return;
        }
        match revision(store).await {
            Ok(revision) if revision != self.noted.load(Ordering::Relaxed) => self.write(revision),
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "ask the store how far it is"),
        }
    }

    fn write(&self, revision: Revision) {
        match durable::write_atomic(&self.file, revision.to_string().as_bytes(), Sync::None) {
            Ok(()) => self.noted.store(revision, Ordering::Relaxed),
            Err(error) => tracing::warn!(error = %errors::chain(&error), "note how far the store is"),
        }
    }
}

/// 0: nothing.
fn noted(file: &Path) -> Result<Revision> {
    let parse = |text: Vec<u8>| std::str::from_utf8(&text).ok()?.trim().parse().ok();
    Ok(durable::read_optional(file)?.and_then(parse).unwrap_or_default())
}

async fn revision(store: &Arc<dyn StateStore>) -> Result<Revision> {
    Ok(store.list(ENGINE).await?.revision)
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::Transaction;

    async fn store(root: &Path, name: &str, writes: usize) -> Arc<dyn StateStore> {
        let store = store::open_redb(&root.join(name)).unwrap();
        for number in 0..writes {
            store.commit(Transaction::new().put("engine/n", number.to_string().into_bytes())).await.unwrap();
        }
        store
    }

    #[tokio::test]
    async fn a_store_that_was_put_back_is_older_until_nothing_is_unknown() {
        let root = tempfile::tempdir().unwrap();
        let (old, new) = (store(root.path(), "old", 2).await, store(root.path(), "new", 5).await);
        let age = StoreAge::of(root.path(), &new).await.unwrap();
        age.note(&new).await;
        assert!(!age.is_older());
        assert!(!StoreAge::of(root.path(), &new).await.unwrap().is_older());

        let age = StoreAge::of(root.path(), &old).await.unwrap();
        assert!(age.is_older());
        for number in 0..9 {
            old.commit(Transaction::new().put("engine/n", vec![number])).await.unwrap();
        }
        age.note(&old).await;
        let later = StoreAge::of(root.path(), &old).await.unwrap();
        assert!(later.is_older(), "though it has come further than the other");
        later.settle();
        later.note(&old).await;
        assert!(!StoreAge::of(root.path(), &old).await.unwrap().is_older());
    }
}
