//! What can go wrong with records.

use crate::etcd::code::{PERMISSION_DENIED, RESOURCE_EXHAUSTED, UNAUTHENTICATED};
use crate::{Compare, Revision};
use errors::{Class, Classified};
use std::io::ErrorKind;
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
    /// Options that can't be meant.
    #[error("state.etcd: {reason}")]
    BadOption {
        /// Which, and why.
        reason: String,
    },
    /// No member of the etcd answers.
    #[error(
        "{action}: etcd at {endpoints} does not answer ({reason}): containers go on, but nothing can be changed until it does. \
         See that it runs and that this host reaches it{}", doubt(*.unknown)
    )]
    Unreachable {
        /// What was being done.
        action: &'static str,
        /// Its members.
        endpoints: String,
        /// What was seen of it.
        reason: String,
        /// Whether the change may have been made, or may yet be.
        unknown: bool,
    },
    /// etcd answers that it won't.
    #[error("{action}: etcd at {endpoints} refuses: {message}{}", remedy(*.code, message))]
    Refused {
        /// What was being done.
        action: &'static str,
        /// Its members.
        endpoints: String,
        /// gRPC's code.
        code: u64,
        /// etcd's words.
        message: String,
    },
    /// Another engine has its records there.
    #[error(
        "the records below {prefix} in etcd are in use by {holder}: give this engine another state.etcd.prefix, or stop that one \
         (if it was killed, its lock goes within {seconds} seconds)"
    )]
    HeldByEngine {
        /// Which records.
        prefix: String,
        /// The engine's host and process.
        holder: String,
        /// How long a dead engine's lock stays.
        seconds: u64,
    },
    /// More in one transaction than the backend can do at once.
    #[error("a transaction has {found} {what}, this state store takes at most {limit}")]
    TooLarge {
        /// `changes`, `comparisons`.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many there may be.
        limit: usize,
    },
    /// More than etcd is configured to take.
    #[error(
        "a transaction is larger than etcd takes ({message}): raise --max-request-bytes or --max-txn-ops of its members"
    )]
    TooLargeForServer {
        /// etcd's words.
        message: String,
    },
    /// The records were written by a later version of this program.
    #[error(
        "the records in the state store have schema {found}, this version knows up to {known}: start the newer version again, or \
         import a backup from before the upgrade"
    )]
    NewerRecords {
        /// Their schema version.
        found: u64,
        /// The latest that this program understands.
        known: u64,
    },
    /// There are records where new ones should go.
    #[error("there are records in {place} already")]
    NotEmpty {
        /// Where.
        place: String,
    },
    /// What was being copied to the store did not come to its end.
    #[error("the records in {place} are half of a copy: import or migrate again")]
    HalfCopied {
        /// Where.
        place: String,
    },
    /// What was copied to the store is not what it has then.
    #[error("{place} does not give back the records that were put in")]
    NotGivenBack {
        /// Where.
        place: String,
    },
    /// The store was closed while the call waited.
    #[error("the state store is closed")]
    Closed,
}

fn describe(revision: Option<Revision>) -> String {
    revision.map_or_else(|| "no such key".to_owned(), |revision| format!("revision {revision}"))
}

fn doubt(unknown: bool) -> &'static str {
    if unknown { "; whether this change was made is seen when it is back" } else { "" }
}

fn remedy(code: u64, message: &str) -> &'static str {
    match code {
        _ if message.contains("user name is empty") => ": set state.etcd.user and state.etcd.password_file",
        PERMISSION_DENIED => ": give its user a role that may read and write all keys of state.etcd.prefix",
        RESOURCE_EXHAUSTED if message.contains("space exceeded") => {
            ": compact and defragment it, then end the alarm with 'etcdctl alarm disarm'"
        }
        _ => "",
    }
}

fn holder(pid: Option<u32>) -> String {
    pid.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
}

/// Whether there is no room on the disk, or none for this user.
pub(crate) fn is_full(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
}

impl StoreError {
    /// The same failure for another transaction.
    pub(crate) fn again(&self) -> Self {
        match self {
            Self::Io { action, path, source, full } => {
                Self::Io { action, path: path.clone(), source: Arc::clone(source), full: *full }
            }
            Self::Unreachable { action, endpoints, reason, .. } => Self::Unreachable {
                action,
                endpoints: endpoints.clone(),
                reason: reason.clone(),
                unknown: false,
            },
            Self::Refused { action, endpoints, code, message } => {
                Self::Refused { action, endpoints: endpoints.clone(), code: *code, message: message.clone() }
            }
            Self::HeldByEngine { prefix, holder, seconds } => {
                Self::HeldByEngine { prefix: prefix.clone(), holder: holder.clone(), seconds: *seconds }
            }
            // The file could not be opened anew after an earlier error.
            other => Self::Unusable { reason: errors::chain(other) },
        }
    }
}

impl Classified for StoreError {
    fn class(&self) -> Class {
        match self {
            Self::Conflict { .. }
            | Self::Held { .. }
            | Self::HeldByEngine { .. }
            | Self::NotEmpty { .. }
            | Self::HalfCopied { .. } => Class::Conflict,
            Self::BadKey { .. } | Self::DuplicateKey { .. } | Self::FutureRevision { .. } => Class::Invalid,
            Self::Compacted { .. } | Self::Closed | Self::Unusable { .. } => Class::Unavailable,
            Self::BadOption { .. } | Self::TooLarge { .. } | Self::TooLargeForServer { .. } => Class::Invalid,
            Self::Unreachable { .. } => Class::Unavailable,
            Self::Refused { code: PERMISSION_DENIED | UNAUTHENTICATED, .. } => Class::Denied,
            Self::Refused { .. } => Class::Unavailable,
            Self::Newer { .. } | Self::NewerRecords { .. } => Class::Unsupported,
            Self::Io { full: true, .. } => Class::Unavailable,
            Self::BadRecord { .. }
            | Self::Damaged { .. }
            | Self::Open { .. }
            | Self::Io { .. }
            | Self::NotGivenBack { .. } => Class::Internal,
        }
    }
}
