//! The transactional store of the engine's records, and the one trait behind which its backends stand.
//!
//! Keys are UTF-8 paths (`containers/<id>`), values are bytes that the store never looks into. One revision
//! grows with every committed transaction, as etcd's does: every entry says at which revision it
//! was created and last modified, a list says at which revision it was true, and a watch continues from there.
//!
//! A commit is durable when it returns. Commits that arrive while another is being synced share the next sync, so
//! that fifty clients cost about as much as one. Reads work on a snapshot and wait for no writer.

mod clear;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
#[cfg(test)]
mod crash;
mod error;
mod etcd;
mod export;
mod files;
mod history;
mod key;
mod mirror;
mod place;
#[cfg(test)]
mod random;
mod redb;
mod schema;
#[cfg(test)]
mod small_disk;
mod stored;
mod transaction;
mod typed;
mod watch;
mod writer;

pub use crate::clear::clear;
pub use crate::etcd::{Options as EtcdOptions, fill_etcd, open_etcd};
pub use crate::export::{ExportError, read_export, write_export};
pub use crate::files::{create_files, open_files};
pub use crate::redb::{create_redb, open_redb, remove_redb};
pub use error::{Result, StoreError};
pub use schema::{Migration, upgrade};
pub use transaction::{Compare, Operation, Transaction};
pub use typed::{get_as, list_as, put_as};
pub use watch::{Change, Watch};

use futures_util::future::BoxFuture;
use std::sync::Arc;

/// Grows with each transaction that changed something: by one, but where others write to the same etcd.
pub type Revision = u64;

/// A key's value and its history in two numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The bytes that were put.
    pub value: Arc<[u8]>,
    /// The revision at which the key came into being (again, if it was deleted in between).
    pub created: Revision,
    /// The revision of the last put: what [`Transaction::unchanged`] compares with.
    pub modified: Revision,
}

/// All entries below a prefix as they were at one revision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The store's revision at that moment; a watch from here misses nothing.
    pub revision: Revision,
    /// In the byte order of their keys.
    pub entries: Vec<(String, Entry)>,
}

/// Where records live. Object-safe, so that the engine chooses its backend at start.
pub trait StateStore: Send + Sync + std::fmt::Debug + 'static {
    /// The entry of `key`, if it exists.
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>>;

    /// Every entry whose key starts with `prefix` (plain text: end it with `/`; empty: all), from one snapshot.
    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Listing>>;

    /// Applies all of `transaction` or nothing, and returns the store's revision after it.
    ///
    /// Durable on return. A transaction that changes nothing (no operation, or deletes of absent keys only) takes
    /// no revision. Once called, it is carried out even if the returned future is dropped.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] names the first key whose comparison did not hold.
    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision>>;

    /// Follows every change below `prefix` whose revision is greater than `from`.
    ///
    /// # Errors
    /// [`StoreError::Compacted`] if the history no longer reaches back to `from`: list again and watch from there.
    /// [`StoreError::FutureRevision`] if the store has not come to `from` yet.
    fn watch<'a>(&'a self, prefix: &'a str, from: Revision) -> BoxFuture<'a, Result<Watch>>;
}
