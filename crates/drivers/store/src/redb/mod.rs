//! The default backend: one file, no server.

mod ballast;
mod compact;
mod file;
mod mark;
mod reserve;
mod writer;

use crate::history::{History, Limits};
use crate::writer::Writer;
use crate::{Entry, Listing, Result, Revision, StateStore, StoreError, Transaction, Watch, key};
use ballast::Ballast;
use file::{RECORDS, StoreFile};
use futures_util::future::{BoxFuture, FutureExt};
use redb::ReadTransaction;
use std::path::Path;
use std::sync::Arc;
use writer::Batches;

/// Opens the store in the file `path`, or makes it, with missing directories above it.
///
/// The file is checked as a whole before anything trusts it. Call it where blocking is allowed.
///
/// # Errors
/// [`StoreError::Held`], [`StoreError::Damaged`], [`StoreError::Newer`] or [`StoreError::Open`].
pub fn open_redb(path: &Path) -> Result<Arc<dyn StateStore>> {
    open_redb_with(path, Limits::USUAL)
}

/// As [`open_redb`], with as much history as the caller wants.
fn open_redb_with(path: &Path, limits: Limits) -> Result<Arc<dyn StateStore>> {
    let (file, revision) = StoreFile::open(path)?;
    let file = Arc::new(file);
    let history = Arc::new(History::new(revision, limits));
    let ballast = Ballast::new(file.ballast());
    let batches = Batches { file: Arc::clone(&file), history: Arc::clone(&history), ballast };
    let writer = Writer::start(path.to_owned(), batches)?;
    Ok(Arc::new(RedbStore { writer, file, history }))
}

/// Makes a store at `path` that holds exactly these records, with their revisions; complete or not at all.
///
/// # Errors
/// [`StoreError::NotEmpty`] if there is one, or [`StoreError::Open`].
pub fn create_redb(path: &Path, listing: &Listing) -> Result<()> {
    file::create_with(path, listing)
}

/// Removes the store at `path`, which nobody has open.
///
/// # Errors
/// [`StoreError::Open`] for what can't be removed.
pub fn remove_redb(path: &Path) -> Result<()> {
    file::remove(path)
}

/// Declared in the order in which they end: the writer drains its queue first, the file's lock goes last.
#[derive(Debug)]
struct RedbStore {
    writer: Writer,
    file: Arc<StoreFile>,
    history: Arc<History>,
}

impl StateStore for RedbStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>> {
        // One descent of a tree whose pages are in memory: not worth a thread of the blocking pool.
        std::future::ready(key::validate(key).and_then(|()| read_one(&self.file, key))).boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Listing>> {
        let (file, prefix) = (Arc::clone(&self.file), prefix.to_owned());
        async move {
            tokio::task::spawn_blocking(move || read_all(&file, &prefix))
                .await
                .map_err(|_| StoreError::Closed)?
        }
        .boxed()
    }

    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision>> {
        self.writer.commit(transaction)
    }

    fn watch<'a>(&'a self, prefix: &'a str, from: Revision) -> BoxFuture<'a, Result<Watch>> {
        let watch = read(&self.file, file::revision).and_then(|now| self.history.watch(prefix, from, now));
        std::future::ready(watch).boxed()
    }
}

type Stored<'a> = (Revision, Revision, &'a [u8]);

fn entry((created, modified, value): Stored<'_>) -> Entry {
    Entry { value: value.into(), created, modified }
}

/// Runs `work` on a snapshot.
fn read<T>(file: &StoreFile, work: impl FnOnce(&ReadTransaction) -> Result<T, redb::Error>) -> Result<T> {
    file.begin_read().and_then(|snapshot| work(&snapshot).map_err(|error| file.failed("read", error)))
}

fn read_one(file: &StoreFile, key: &str) -> Result<Option<Entry>> {
    read(file, |snapshot| {
        let found = snapshot.open_table(RECORDS)?.get(key)?;
        Ok(found.map(|value| entry(value.value())))
    })
}

fn read_all(file: &StoreFile, prefix: &str) -> Result<Listing> {
    read(file, |snapshot| {
        let mut entries = Vec::new();
        for record in snapshot.open_table(RECORDS)?.range(prefix..)? {
            let (key, value) = record?;
            if !key.value().starts_with(prefix) {
                break;
            }
            entries.push((key.value().to_owned(), entry(value.value())));
        }
        Ok(Listing { revision: file::revision(snapshot)?, entries })
    })
}

#[cfg(test)]
mod space_tests;
#[cfg(test)]
mod tests;
