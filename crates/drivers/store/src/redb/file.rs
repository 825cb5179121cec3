//! The file and its schema.
//!
//! ```text
//! store.redb
//! ├── meta      text → u64
//! │   ├── "schema"     1; raised by a change that an older program would misread
//! │   └── "revision"   of the last transaction that changed something
//! └── records   key → (created, modified, value)
//!
//! store.redb.mark    the latest revision that was answered for: see mark.rs
//! store.redb.ballast blocks for the time when the disk is full: see ballast.rs
//! store.redb.lock    flock(2) of the process that has the store open; holds its pid
//! store.redb.new     a first store in the making: renamed when it is complete, overwritten after a crash
//! ```

use super::compact;
use super::mark::{self, Mark};
use super::reserve::Reserve;
use crate::error::is_full;
use crate::place::{self, beside, cannot_open};
use crate::{Listing, Result, Revision, StoreError};
use durable::LockFile;
use redb::{
    Builder, Database, DatabaseError, ReadTransaction, ReadableDatabase, StorageError, TableDefinition,
    TableError, WriteTransaction,
};
use std::fs::{OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

pub(super) const RECORDS: TableDefinition<'_, &str, (u64, u64, &[u8])> = TableDefinition::new("records");
pub(super) const META: TableDefinition<'_, &str, u64> = TableDefinition::new("meta");
pub(super) const REVISION: &str = "revision";
const SCHEMA: &str = "schema";
const KNOWN_SCHEMA: u64 = 1;
const MARK: &str = "mark";
/// Bytes of the file that are kept in memory.
const CACHE_BYTES: usize = 2 << 20;

/// An open store file.
///
/// After a failed write (a full disk) redb refuses everything until the file is opened anew, so that is what the next
/// access does.
#[derive(Debug)]
pub(super) struct StoreFile {
    database: RwLock<Option<Database>>,
    path: PathBuf,
    reserve: Reserve,
    mark: Mark,
    _lock: LockFile,
}

impl StoreFile {
    /// Opens or makes it, and says at which revision it is.
    pub(super) fn open(path: &Path) -> Result<(Self, Revision)> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            durable::create_dir_all(parent, 0o700).map_err(|error| cannot_open(path, error))?;
        }
        let lock = place::lock(path, &beside(path, "lock"))?;
        if !path.try_exists().map_err(|error| cannot_open(path, error))? {
            create(path, &Listing { revision: 0, entries: Vec::new() })?;
        }
        // Those of earlier versions were for anybody to read, and records hold what containers are told in confidence.
        std::fs::set_permissions(path, Permissions::from_mode(0o600))
            .map_err(|error| cannot_open(path, error))?;
        let (database, revision) = open_checked(path)?;
        let database = match compact::if_worth(database, path) {
            Some(database) => database,
            // Whatever state that left the handle in.
            None => open_checked(path)?.0,
        };
        let database = RwLock::new(Some(database));
        let reserve = Reserve::of(path).map_err(|error| cannot_open(path, error))?;
        let mark = Mark::open(&beside(path, MARK)).map_err(|error| cannot_open(path, error))?;
        mark.set(revision);
        Ok((Self { database, path: path.to_owned(), reserve, mark, _lock: lock }, revision))
    }

    /// Where blocks are kept for the time when the disk is full.
    pub(super) fn ballast(&self) -> PathBuf {
        beside(&self.path, "ballast")
    }

    /// Notes that everything up to this revision is on disk.
    pub(super) fn committed(&self, revision: Revision) {
        self.mark.set(revision);
    }

    pub(super) fn begin_read(&self) -> Result<ReadTransaction> {
        self.with(|database| database.begin_read().map_err(Into::into))
            .map_err(|error| self.failed("read", error))?
    }

    pub(super) fn begin_write(&self) -> Result<WriteTransaction> {
        self.reserve.extend();
        self.with(|database| database.begin_write().map_err(Into::into))
            .map_err(|error| self.failed("commit", error))?
    }

    /// Wraps what went wrong; if the file may be unusable after it, closes it.
    pub(super) fn failed(&self, action: &'static str, error: redb::Error) -> StoreError {
        if !matches!(error, redb::Error::ValueTooLarge(_)) {
            self.close();
        }
        let full = matches!(&error, redb::Error::Io(cause) if is_full(cause));
        StoreError::Io { action, path: self.path.clone(), source: Arc::new(error), full }
    }

    /// Runs `work` on the open file, opening it anew if an error closed it.
    fn with<T>(&self, work: impl Fn(&Database) -> Result<T, redb::Error>) -> Result<Result<T>, redb::Error> {
        let open = self.database.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(database) = &*open {
            return work(database).map(Ok);
        }
        drop(open);
        let mut closed = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if closed.is_none() {
            match open_checked(&self.path) {
                Ok((database, _)) => *closed = Some(database),
                Err(error) => return Ok(Err(error)),
            }
        }
        match &*closed {
            Some(database) => work(database).map(Ok),
            None => Ok(Err(StoreError::Closed)),
        }
    }

    fn close(&self) {
        let database = self.database.write().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Err(error)) = database.map(Database::close) {
            tracing::debug!(path = %self.path.display(), %error, "closing the state store after an error");
        }
    }
}

/// The revision of a snapshot.
pub(super) fn revision(snapshot: &ReadTransaction) -> Result<Revision, redb::Error> {
    Ok(snapshot.open_table(META)?.get(REVISION)?.map_or(0, |value| value.value()))
}

/// Makes a store under another name first: a crash while redb lays out its file must not look like damage.
fn create(path: &Path, listing: &Listing) -> Result<()> {
    let new = beside(path, "new");
    // The mark is of a store that was moved away.
    remove_files([&new, &beside(path, MARK)])?;
    lay_out(&new, listing).map_err(|error| cannot_open(path, error))?;
    durable::rename(&new, path).map_err(|error| cannot_open(path, error))
}

fn remove_files<const N: usize>(files: [&Path; N]) -> Result<()> {
    for file in files {
        durable::remove_optional(file).map_err(|error| cannot_open(file, error))?;
    }
    Ok(())
}

/// Removes a store that nobody has open, with its mark: another one may be put in its place.
pub(super) fn remove(path: &Path) -> Result<()> {
    remove_files([path, &beside(path, MARK)])
}

/// As [`create`], for whoever brings records along.
pub(super) fn create_with(path: &Path, listing: &Listing) -> Result<()> {
    if path.try_exists().map_err(|error| cannot_open(path, error))? {
        return Err(StoreError::NotEmpty { place: path.display().to_string() });
    }
    create(path, listing)
}

fn lay_out(path: &Path, listing: &Listing) -> Result<(), redb::Error> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let database = Builder::new().set_cache_size(CACHE_BYTES).create(path)?;
    let transaction = database.begin_write()?;
    {
        let mut records = transaction.open_table(RECORDS)?;
        for (key, entry) in &listing.entries {
            records.insert(key.as_str(), (entry.created, entry.modified, &*entry.value))?;
        }
        let mut meta = transaction.open_table(META)?;
        meta.insert(SCHEMA, KNOWN_SCHEMA)?;
        meta.insert(REVISION, listing.revision)?;
    }
    transaction.commit()?;
    Ok(database.close()?)
}

/// Opens an existing file, verifies all of it and its schema.
fn open_checked(path: &Path) -> Result<(Database, Revision)> {
    let database = Builder::new()
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(true)
        .open(path)
        .map_err(|error| not_opened(path, error))?;
    let (schema, revision) = read_meta(&database).map_err(|error| damaged(path, error))?;
    match schema {
        Some(KNOWN_SCHEMA) => match mark::read(&beside(path, MARK)) {
            Some(marked) if marked > revision => {
                Err(damaged(path, mark::Lost { revision, marked, mark: beside(path, MARK) }))
            }
            _ => Ok((database, revision)),
        },
        Some(found) if found > KNOWN_SCHEMA => {
            Err(StoreError::Newer { path: path.to_owned(), found, known: KNOWN_SCHEMA })
        }
        _ => Err(damaged(path, TableError::TableDoesNotExist("meta".to_owned()))),
    }
}

/// Schema and revision. A file without our tables is not ours.
fn read_meta(database: &Database) -> Result<(Option<u64>, Revision), redb::Error> {
    let snapshot = database.begin_read()?;
    let schema = snapshot.open_table(META)?.get(SCHEMA)?.map(|value| value.value());
    if schema == Some(KNOWN_SCHEMA) {
        snapshot.open_table(RECORDS)?;
    }
    Ok((schema, revision(&snapshot)?))
}

fn not_opened(path: &Path, error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::Held { path: path.to_owned(), pid: None },
        DatabaseError::Storage(StorageError::Io(cause))
            if !matches!(cause.kind(), ErrorKind::InvalidData | ErrorKind::UnexpectedEof) =>
        {
            cannot_open(path, cause)
        }
        error => damaged(path, error),
    }
}

fn damaged(path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    StoreError::Damaged { path: path.to_owned(), source: Box::new(error) }
}
