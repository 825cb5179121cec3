//! One engine a prefix: a key with a lease, written anew whenever somebody cannot be sure of it any more.
//!
//! Every transaction compares the revision at which the lock was last written (the fence). So nothing lands that was sent before: no
//! write of an engine that lost the lock, and none that hung in a server while its sender gave up.

use super::client::{Client, Failure, Kind};
use super::wire::{self, Lease, Owner, Range, Txn};
use super::{Options, SCHEMA};
use crate::{Result, Revision, StoreError};
use serde_json::json;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};

/// How often the lock is tried for that changes at the same moment: an engine before us may be giving it back.
const TRIES: usize = 3;

/// The lock of one prefix.
#[derive(Debug)]
pub(super) struct Lock {
    key: String,
    schema: String,
    prefix: String,
    owner: Owner,
    seconds: u64,
    /// 0: none.
    lease: AtomicI64,
}

impl Lock {
    pub(super) fn new(options: &Options) -> Self {
        Self {
            key: format!("{}/lock", options.prefix),
            schema: format!("{}/schema", options.prefix),
            prefix: options.prefix.clone(),
            owner: Owner { owner: options.owner.clone(), holder: options.holder.clone() },
            seconds: options.lease.as_secs().max(2),
            lease: AtomicI64::new(0),
        }
    }

    pub(super) fn key(&self) -> &str {
        &self.key
    }

    /// Writes the lock, if nobody else has it, and returns the revision of that.
    ///
    /// # Errors
    /// [`StoreError::HeldByEngine`], [`StoreError::Newer`], and those of a server that does not answer.
    pub(super) async fn take(&self, client: &Client) -> Result<Revision> {
        let failed = |failure| client.error("take the lock on the records", failure);
        let lease = self.lease(client).await.map_err(failed)?;
        let (key, schema) = (wire::bytes(&self.key), wire::bytes(&self.schema));
        self.check_schema(client).await?;
        for _ in 0..TRIES {
            let body = json!({ "key": key });
            let range: Range = client.post("kv/range", &body, Kind::Read).await.map_err(failed)?;
            let found = range.kvs.first();
            if let Some(record) = found {
                let other: Option<Owner> = serde_json::from_slice(&record.value).ok();
                if other.as_ref().is_none_or(|other| other.owner != self.owner.owner) {
                    return Err(self.held(other));
                }
            }
            let compare = json!({
                "key": key, "target": "MOD", "result": "EQUAL",
                "mod_revision": found.map_or(0, |record| record.mod_revision).to_string(),
            });
            let value = wire::bytes(json!(self.owner).to_string());
            let success = json!([
                { "request_put": { "key": key, "value": value, "lease": lease.to_string() } },
                { "request_put": { "key": schema, "value": wire::bytes(SCHEMA.to_string()) } },
            ]);
            let body = json!({ "compare": [compare], "success": success });
            let answer: Txn = client.post("kv/txn", &body, Kind::Write).await.map_err(failed)?;
            if answer.succeeded {
                return Ok(answer.header.revision);
            }
        }
        Err(self.held(None))
    }

    /// The present lease, or a new one if it has run out.
    async fn lease(&self, client: &Client) -> Result<i64, Failure> {
        if self.renew(client).await? {
            return Ok(self.lease.load(Ordering::Relaxed));
        }
        let body = json!({ "TTL": self.seconds.to_string() });
        let granted: Lease = client.post("lease/grant", &body, Kind::Read).await?;
        self.lease.store(granted.id, Ordering::Relaxed);
        Ok(granted.id)
    }

    /// Keeps the lease; false if there is none any more.
    pub(super) async fn renew(&self, client: &Client) -> Result<bool, Failure> {
        let id = self.lease.load(Ordering::Relaxed);
        if id == 0 {
            return Ok(false);
        }
        let body = json!({ "ID": id.to_string() });
        let answer: wire::Streamed<Lease> = client.post("lease/keepalive", &body, Kind::Read).await?;
        match (answer.result, answer.error) {
            (_, Some(complaint)) => Err(Failure::Refused(complaint)),
            (lease, None) => Ok(lease.is_some_and(|lease| lease.ttl > 0)),
        }
    }

    /// Gives the lock back, so that another engine need not wait until the lease has run out.
    pub(super) async fn release(&self, client: &Client) {
        let id = self.lease.load(Ordering::Relaxed);
        let body = json!({ "ID": id.to_string() });
        if let Err(error) = client.post::<serde_json::Value>("lease/revoke", &body, Kind::Read).await {
            tracing::debug!(?error, "the lock in etcd goes when its lease runs out");
        }
    }

    async fn check_schema(&self, client: &Client) -> Result<()> {
        let body = json!({ "key": wire::bytes(&self.schema) });
        let range: Range = client
            .post("kv/range", &body, Kind::Read)
            .await
            .map_err(|failure| client.error("read the schema", failure))?;
        let Some(record) = range.kvs.first() else { return Ok(()) };
        let place = PathBuf::from(format!("{} in etcd", self.prefix));
        match String::from_utf8_lossy(&record.value).parse::<u64>() {
            Ok(found) if found <= SCHEMA => Ok(()),
            Ok(found) => Err(StoreError::Newer { path: place, found, known: SCHEMA }),
            Err(error) => Err(StoreError::Damaged { path: place, source: Box::new(error) }),
        }
    }

    pub(super) fn held(&self, other: Option<Owner>) -> StoreError {
        let holder = other.map_or_else(|| "another engine".to_owned(), |other| other.holder);
        StoreError::HeldByEngine { prefix: self.prefix.clone(), holder, seconds: self.seconds }
    }
}
