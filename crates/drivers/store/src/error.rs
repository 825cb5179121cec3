//! What can go wrong with records.

use crate::{Compare, Revision};
use errors::{Class, Classified};
use std::path::PathBuf;
use std::sync::Arc;

/// The store's results.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// What can go wrong with records.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A comparison did not hold; nothing was changed.
    #[error("record {key} was changed meanwhile: expected {expected}, found {}", describe(*.found))]
    Conflict {
        /// The first key that differed.
        key: String,
        /// What the transaction wanted.
        expected: Compare,
        /// The revision of what is there, if anything is.
        found: Option<Revision>,
    },
    /// Not a relative path of at most 1024 bytes without empty, `.` or `..` segments.
    #[error("'{key}' cannot be the key of a record")]
    BadKey {
        /// As given.
        key: String,
    },
    /// A transaction that changes one key twice.
    #[error("record {key} is changed twice in one transaction")]
    DuplicateKey {
        /// The key.
        key: String,
    },
    /// The history no longer reaches back to the revision a watch wants to start from.
    #[error("the changes since revision {from} are no longer kept, the oldest is {oldest}: list again")]
    Compacted {
        /// Where the watch wanted to start.
        from: Revision,
        /// The smallest revision a watch can start from.
        oldest: Revision,
    },
    /// A watch from a revision that the store has not reached.
    #[error("revision {from} is in the future, the store is at {current}")]
    FutureRevision {
        /// Where the watch wanted to start.
        from: Revision,
        /// The store's revision.
        current: Revision,
    },
    /// A record whose bytes are not what their reader expects.
    #[error("read record {key}")]
    BadRecord {
        /// The key.
        key: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// Another process has the store open.
    #[error(
        "the state store {path} is in use by {}: stop that engine, or give this one another --root",
        holder(*.pid)
    )]
    Held {
        /// The file.
        path: PathBuf,
        /// Who, if it could be learnt.
        pid: Option<u32>,
    },
    /// The file is not what this backend wrote.
    #[error(
        "the state store {path} is damaged: restore it from a backup, or move it away to start without records \
         (images and volumes on disk stay)"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What was found.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The file was written by a later version of this program.
    #[error(
        "the state store {path} has schema {found}, this version knows up to {known}: start the newer version again, \
         or restore the copy from before the upgrade"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its schema version.
        found: u64,
        /// The latest that this program understands.
        known: u64,
    },
    /// Creating, opening or locking the file failed.
    #[error("open the state store {path}")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Reading or writing failed while the store was in use.
    #[error("{action} in the state store {path}")]
    Io {
        /// `read`, `commit`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// Why. Shared, because one failed sync fails every transaction that waited for it.
        #[source]
        source: Arc<dyn std::error::Error + Send + Sync>,
        /// Whether the disk is full.
        full: bool,
    },
    /// After an earlier error the file could not be opened anew.
    #[error("{reason}")]
    Unusable {
        /// The whole chain of that failure, which several waiters share.
        reason: String,
    },
    /// The store was closed while the call waited.
    #[error("the state store is closed")]
    Closed,
}

fn describe(revision: Option<Revision>) -> String {
    revision.map_or_else(|| "no such key".to_owned(), |revision| format!("revision {revision}"))
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

impl StoreError {
    /// The same failure for another transaction of the same batch.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Io { action, path, source, full } => {
                Self::Io { action, path: path.clone(), source: Arc::clone(source), full: *full }
            }
            // The file could not be opened anew after an earlier error.
            other => Self::Unusable { reason: errors::chain(other) },
        }
    }
}

impl Classified for StoreError {
    fn class(&self) -> Class {
        match self {
            Self::Conflict { .. } | Self::Held { .. } => Class::Conflict,
            Self::BadKey { .. } | Self::DuplicateKey { .. } | Self::FutureRevision { .. } => Class::Invalid,
            Self::Compacted { .. } | Self::Closed | Self::Unusable { .. } => Class::Unavailable,
            Self::Newer { .. } => Class::Unsupported,
            Self::Io { full: true, .. } => Class::Unavailable,
            Self::BadRecord { .. } | Self::Damaged { .. } | Self::Open { .. } | Self::Io { .. } => {
                Class::Internal
            }
        }
    }
}
