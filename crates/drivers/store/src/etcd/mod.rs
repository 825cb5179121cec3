//! Records in etcd, through its gRPC gateway: for engines whose state must not depend on their host's disk.
//!
//! ```text
//! <prefix>/lock              which engine the records are, under a lease
//! <prefix>/schema            1; raised by a change that an older program would misread
//! <prefix>/records/<key>     the value, untouched
//! ```
//!
//! Revisions are etcd's: they grow also by what others write there. Reads are answered from a copy in memory that a watch keeps, so
//! they go on without the server; commits need it. A commit returns when the copy has what was committed.

mod client;
pub(crate) mod code;
mod fill;
mod follow;
mod keeper;
mod lock;
mod transaction;
mod wire;

use crate::history::Limits;
use crate::mirror::Mirror;
use crate::{Entry, Listing, Result, Revision, StateStore, StoreError, Transaction, Watch};
use client::{Client, Failure, Kind};
pub use fill::fill_etcd;
use futures_util::future::{BoxFuture, FutureExt};
use lock::Lock;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use transaction::Verdict;

const SCHEMA: u64 = 1;
/// There as long as records are being copied in.
const MARKER: &str = "state/half-copied";

/// Which etcd, as whom, and for whom.
#[derive(Clone)]
pub struct Options {
    /// URLs of its members.
    pub endpoints: Vec<String>,
    /// What all keys begin with; one engine each.
    pub prefix: String,
    /// PEM file of the authorities that its certificates are of; none: those of this machine.
    pub authority: Option<PathBuf>,
    /// PEM files of the certificate that we show, and its key.
    pub certificate: Option<PathBuf>,
    /// See `certificate`.
    pub key: Option<PathBuf>,
    /// User and password, if etcd wants them.
    pub user: Option<String>,
    /// See `user`.
    pub password: Option<String>,
    /// What this engine is told from others by, also after it was started again.
    pub owner: String,
    /// The same for people: host and process.
    pub holder: String,
    /// How long the lock outlives an engine that was killed; whole seconds, 2 at least.
    pub lease: Duration,
    /// How long an answer is waited for.
    pub patience: Duration,
}

impl Options {
    /// For the records below `prefix`, with what else is usual.
    pub fn new(endpoints: Vec<String>, prefix: String, owner: String, holder: String) -> Self {
        Self {
            endpoints,
            prefix,
            authority: None,
            certificate: None,
            key: None,
            user: None,
            password: None,
            owner,
            holder,
            lease: Duration::from_secs(10),
            patience: Duration::from_secs(3),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the password.
        f.debug_struct("Options")
            .field("endpoints", &self.endpoints)
            .field("prefix", &self.prefix)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// Whether commits can be made.
#[derive(Debug, Clone)]
enum Status {
    /// Yes: the lock was written at this revision.
    Ready(Revision),
    /// Not now.
    Away(Arc<StoreError>),
}

/// What the store and its task work on.
#[derive(Debug)]
struct Shared {
    client: Client,
    lock: Lock,
    mirror: Mirror,
    prefix: String,
    /// What the records' keys begin with.
    records: String,
    lease: Duration,
    patience: Duration,
    status: watch::Sender<Status>,
}

/// Opens the records below a prefix of an etcd, and keeps them from other engines.
///
/// Call it inside a tokio runtime that lives as long as the store.
///
/// # Errors
/// [`StoreError::BadOption`], [`StoreError::Unreachable`], [`StoreError::HeldByEngine`], [`StoreError::Newer`] or
/// [`StoreError::Refused`].
pub async fn open_etcd(options: &Options) -> Result<Arc<dyn StateStore>> {
    let store = open(options).await?;
    if store.get(MARKER).await?.is_some() {
        return Err(StoreError::HalfCopied { place: format!("etcd below {}", options.prefix) });
    }
    Ok(store)
}

async fn open(options: &Options) -> Result<Arc<EtcdStore>> {
    let prefix = options.prefix.trim_end_matches('/');
    if prefix.is_empty() {
        return Err(StoreError::BadOption { reason: "prefix: it must not be empty".to_owned() });
    }
    let options = Options { prefix: prefix.to_owned(), ..options.clone() };
    let shared = Shared {
        client: Client::new(&options)?,
        lock: Lock::new(&options),
        mirror: Mirror::new(crate::mirror::Records::default(), Limits::USUAL),
        records: format!("{prefix}/records/"),
        prefix: prefix.to_owned(),
        lease: options.lease,
        patience: options.patience,
        status: watch::Sender::new(Status::Away(Arc::new(StoreError::Closed))),
    };
    let follow = keeper::begin(&shared).await?;
    let shared = Arc::new(shared);
    let keeper = tokio::spawn(keeper::keep(Arc::clone(&shared), follow));
    Ok(Arc::new(EtcdStore { shared, keeper, runtime: Handle::current() }))
}

#[derive(Debug)]
struct EtcdStore {
    shared: Arc<Shared>,
    keeper: JoinHandle<()>,
    runtime: Handle,
}

impl Drop for EtcdStore {
    fn drop(&mut self) {
        self.keeper.abort();
        let shared = Arc::clone(&self.shared);
        self.runtime.spawn(async move { shared.lock.release(&shared.client).await });
    }
}

impl StateStore for EtcdStore {
    fn get<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Entry>>> {
        std::future::ready(self.shared.mirror.get(key)).boxed()
    }

    fn list<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Listing>> {
        std::future::ready(Ok(self.shared.mirror.list(prefix))).boxed()
    }

    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision>> {
        if let Err(error) = transaction.validate() {
            return std::future::ready(Err(error)).boxed();
        }
        let shared = Arc::clone(&self.shared);
        // A task of its own, so that it is carried out also when nobody waits.
        let commit = self.runtime.spawn(async move { shared.commit(transaction).await });
        async move { commit.await.unwrap_or(Err(StoreError::Closed)) }.boxed()
    }

    fn watch<'a>(&'a self, prefix: &'a str, from: Revision) -> BoxFuture<'a, Result<Watch>> {
        std::future::ready(self.shared.mirror.watch(prefix, from)).boxed()
    }
}

impl Shared {
    async fn commit(&self, transaction: Transaction) -> Result<Revision> {
        let end = Instant::now() + self.patience;
        loop {
            let fence = self.fence(end).await?;
            let body = transaction::request(&transaction, &self.records, self.lock.key(), fence)?;
            let answer = self.client.post("kv/txn", &body, Kind::Write).await;
            let answer = answer.map_err(|failure| self.not_committed(fence, failure))?;
            match transaction::verdict(&transaction, fence, &answer) {
                Verdict::Done(Some(revision)) => {
                    // Whoever got the answer can read what it wrote. A watch that breaks off now catches up later.
                    let _ = tokio::time::timeout(self.patience, self.mirror.reaches(revision)).await;
                    return Ok(revision);
                }
                Verdict::Done(None) => return Ok(self.mirror.read().revision),
                Verdict::Conflict(error) => return Err(error),
                Verdict::Unlocked => self.lose(fence, self.lock.held(None)),
            }
        }
    }

    /// What the lock must be, once it is ours.
    async fn fence(&self, end: Instant) -> Result<Revision> {
        let mut status = self.status.subscribe();
        let ready = async {
            let found = status.wait_for(|status| matches!(status, Status::Ready(_))).await;
            found.ok().map(|status| status.clone())
        };
        if let Ok(Some(Status::Ready(fence))) = tokio::time::timeout_at(end.into(), ready).await {
            return Ok(fence);
        }
        let status = self.status.borrow().clone();
        Err(match status {
            Status::Away(error) => error.again(),
            Status::Ready(_) => StoreError::Closed,
        })
    }

    fn not_committed(&self, fence: Revision, failure: Failure) -> StoreError {
        if let Failure::Refused(complaint) = &failure
            && (complaint.message.contains("too large")
                || complaint.message.contains("too many operations")
                || complaint.message.contains("larger than max"))
        {
            return StoreError::TooLargeForServer { message: complaint.message.clone() };
        }
        let unknown = matches!(failure, Failure::Silent { unknown: true, .. });
        let error = self.client.error("commit", failure);
        if unknown {
            // What hangs in a server must not land after what is written later.
            self.lose(fence, error.again());
        }
        error
    }

    /// Commits wait until the keeper, who follows the status, has written the lock anew.
    fn lose(&self, fence: Revision, why: StoreError) {
        self.status.send_if_modified(|status| {
            let same = matches!(status, Status::Ready(known) if *known == fence);
            if same {
                *status = Status::Away(Arc::new(why));
            }
            same
        });
    }

    /// Why commits can't be made, as soon as somebody finds that.
    async fn away(&self) -> StoreError {
        let mut status = self.status.subscribe();
        match status.wait_for(|status| matches!(status, Status::Away(_))).await.as_deref() {
            Ok(Status::Away(error)) => error.again(),
            _ => StoreError::Closed,
        }
    }
}

#[cfg(test)]
mod away_tests;
#[cfg(test)]
#[path = "../../../../../tests/src/etcd.rs"]
#[expect(unreachable_pub, reason = "the end-to-end tests have this file too")]
mod server;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;
