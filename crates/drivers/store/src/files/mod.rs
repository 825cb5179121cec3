//! Records as JSON files, one each: for whoever wants to read them, and to keep them under version control or in a backup of files.
//!
//! ```text
//! <dir>/
//! ├── records/containers%2F1f….json   one record: key, revisions, value, checksum
//! ├── manifest                        checksum and revision of every record at the last checkpoint
//! ├── journal                         what was committed since then; synced before a commit returns
//! └── lock                            flock(2) of the process that has the store open; holds its pid
//! ```
//!
//! A commit is durable in the journal; the files follow without waiting for the disk, and are synced by a checkpoint, which clears the
//! journal. Everything is read at the start, checked against the manifest and the journal, and kept in memory. Files may be read at
//! any time and copied while the store is closed, but not changed: that is found at the next start, and named.

mod disk;
mod journal;
mod manifest;
mod open;
mod record;

use crate::error::is_full;
use crate::history::Limits;
use crate::mirror::{Mirror, Records};
use crate::place;
use crate::writer::Writer;
use crate::{Entry, Listing, Result, Revision, StateStore, StoreError, Transaction, Watch};
use disk::Disk;
use futures_util::future::{BoxFuture, FutureExt};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

const RECORDS: &str = "records";
const MANIFEST: &str = "manifest";
const JOURNAL: &str = "journal";
const LOCK: &str = "lock";

/// Bytes of the journal at which it is cleared.
const CHECKPOINT_BYTES: u64 = 1 << 20;

/// Opens the store in the directory `dir`, or makes it, with missing directories above it.
///
/// Everything is read and checked before anything trusts it. Call it where blocking is allowed.
///
/// # Errors
/// [`StoreError::Held`], [`StoreError::Damaged`], [`StoreError::Newer`] or [`StoreError::Open`].
pub fn open_files(dir: &Path) -> Result<Arc<dyn StateStore>> {
    open_files_with(dir, CHECKPOINT_BYTES)
}

/// As [`open_files`], with checkpoints as often as the caller wants.
fn open_files_with(dir: &Path, checkpoint_bytes: u64) -> Result<Arc<dyn StateStore>> {
    let disk = open_disk(dir, checkpoint_bytes)?;
    let mirror = Arc::clone(&disk.mirror);
    let writer = Writer::start(dir.to_owned(), disk)?;
    Ok(Arc::new(FileStore { writer, mirror }))
}

fn open_disk(dir: &Path, checkpoint_bytes: u64) -> Result<Disk> {
    let cannot_open = |error: durable::FileError| place::cannot_open(dir, error);
    let records_dir = dir.join(RECORDS);
    durable::create_dir_all(&records_dir, 0o700).map_err(cannot_open)?;
    let lock = place::lock(dir, &dir.join(LOCK))?;
    durable::sweep(dir).map_err(cannot_open)?;
    durable::sweep(&records_dir).map_err(cannot_open)?;
    let open::Opened { journal, records, dirty, fresh } = open::read(dir)?;
    let mut disk = Disk {
        dir: dir.to_owned(),
        journal,
        mirror: Arc::new(Mirror::new(records, Limits::USUAL)),
        dirty,
        checkpoint_bytes,
        journal_failed: false,
        _lock: lock,
    };
    if fresh || disk.needs_checkpoint() {
        match disk.checkpoint() {
            // What the journal says is known all the same, and is written when there is room.
            Err(error) if !fresh && is_full(&error) => {
                tracing::warn!(%error, store = %dir.display(), "the state store's journal is not cleared");
            }
            done => done.map_err(|error| place::cannot_open(dir, error))?,
        }
    }
    Ok(disk)
}

/// Makes a store in `dir` that holds exactly these records, with their revisions; complete or not at all.
///
/// # Errors
/// [`StoreError::NotEmpty`] if there is one, or [`StoreError::Open`].
pub fn create_files(dir: &Path, listing: &Listing) -> Result<()> {
    let failed = |error: std::io::Error| place::cannot_open(dir, error);
    if dir.try_exists().map_err(failed)? {
        return Err(StoreError::NotEmpty { place: dir.display().to_string() });
    }
    let new = place::beside(dir, "new");
    // Of a time before that was cut off.
    durable::remove_tree(&new).map_err(|error| failed(error.source))?;
    let mut disk = open_disk(&new, CHECKPOINT_BYTES)?;
    let entries: BTreeMap<_, _> = listing.entries.iter().cloned().collect();
    disk.dirty = entries.keys().cloned().collect();
    disk.mirror.replace(Records { revision: listing.revision, entries });
    disk.checkpoint().map_err(failed)?;
    drop(disk);
    durable::rename(&new, dir).map_err(|error| failed(error.source))
}

#[derive(Debug)]
struct FileStore {
    writer: Writer,
    mirror: Arc<Mirror>,
}

impl StateStore for FileStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>> {
        std::future::ready(self.mirror.get(key)).boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Listing>> {
        std::future::ready(Ok(self.mirror.list(prefix))).boxed()
    }

    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision>> {
        self.writer.commit(transaction)
    }

    fn watch<'a>(&'a self, prefix: &'a str, from: Revision) -> BoxFuture<'a, Result<Watch>> {
        std::future::ready(self.mirror.watch(prefix, from)).boxed()
    }
}

#[cfg(test)]
mod tests;
