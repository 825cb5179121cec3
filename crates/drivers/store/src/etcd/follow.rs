//! Keeping the mirror what etcd holds: the first listing, the watch after it, and what came in while nobody looked.

use super::Shared;
use super::client::{Failure, Kind};
use super::wire::{self, KeyValue, Range, Streamed, Watched};
use crate::mirror::Records;
use crate::watch::Change;
use crate::{Entry, Result, Revision, StoreError};
use reqwest::Response;
use serde_json::json;
use std::collections::BTreeMap;

/// Records in one answer.
const PAGE: u32 = 250;

/// Why a watch ended.
#[derive(Debug)]
pub(super) enum End {
    /// What it should begin with is no longer kept.
    Compacted,
    /// The connection, or the server.
    Failed(Failure),
}

/// Everything under the prefix, as of one revision.
pub(super) async fn list(shared: &Shared) -> Result<Records> {
    let failed = |failure| shared.client.error("read the records", failure);
    let (mut from, end) = wire::below(&shared.records);
    let mut revision = 0;
    let mut entries = BTreeMap::new();
    loop {
        let body = json!({ "key": from, "range_end": end, "limit": PAGE.to_string(), "revision": revision.to_string() });
        let range: Range = shared.client.post("kv/range", &body, Kind::Read).await.map_err(failed)?;
        if revision == 0 {
            revision = range.header.revision;
        }
        // The next key after the last is the last with a zero byte.
        let mut next = range.kvs.last().map(|record| record.key.clone()).unwrap_or_default();
        next.push(0);
        for record in range.kvs {
            if let Some((key, entry)) = record_of(shared, record) {
                entries.insert(key, entry);
            }
        }
        if !range.more {
            return Ok(Records { revision, entries });
        }
        from = wire::bytes(next);
    }
}

fn record_of(shared: &Shared, record: KeyValue) -> Option<(String, Entry)> {
    let key = String::from_utf8(record.key).ok()?;
    let key = key.strip_prefix(&shared.records)?.to_owned();
    let (created, modified) = (record.create_revision, record.mod_revision);
    Some((key, Entry { value: record.value.into(), created, modified }))
}

/// A watch of the lock and all records.
#[derive(Debug)]
pub(super) struct Follow {
    response: Response,
    /// What came of the next message.
    rest: Vec<u8>,
    /// Up to here this watch has told everything.
    pub(super) seen: Revision,
}

impl Follow {
    /// Opens it for what came after `from`.
    pub(super) async fn open(shared: &Shared, from: Revision) -> Result<Self, End> {
        let (key, end) = wire::below(&format!("{}/", shared.prefix));
        let start = (from + 1).to_string();
        let body = json!({ "create_request": { "key": key, "range_end": end, "start_revision": start } });
        let response = shared.client.stream("watch", &body).await.map_err(End::Failed)?;
        let mut follow = Self { response, rest: Vec::new(), seen: from };
        let limit = tokio::time::timeout(shared.patience, follow.message()).await;
        let silent =
            |reason: &str| End::Failed(Failure::Silent { reason: reason.to_owned(), unknown: false });
        let first = limit.map_err(|_| silent("the watch was not opened in time"))?.map_err(End::Failed)?;
        if first.compact_revision > 0 {
            return Err(End::Compacted);
        }
        if !first.created || first.canceled {
            return Err(silent(&format!("the watch was not opened: {}", first.cancel_reason)));
        }
        Ok(follow)
    }

    /// Waits for the next changes and puts them into the mirror. Cancel-safe: what has come of a message is kept.
    pub(super) async fn step(&mut self, shared: &Shared) -> Result<(), End> {
        let watched = self.message().await.map_err(End::Failed)?;
        if watched.compact_revision > 0 {
            return Err(End::Compacted);
        }
        if watched.canceled {
            let reason = format!("the watch was ended: {}", watched.cancel_reason);
            return Err(End::Failed(Failure::Silent { reason, unknown: false }));
        }
        let mut changes = Vec::with_capacity(watched.events.len());
        for event in watched.events {
            let revision = event.kv.mod_revision;
            self.seen = self.seen.max(revision);
            let deleted = event.kind == "DELETE";
            if let Some((key, entry)) = record_of(shared, event.kv) {
                changes.push(Change { revision, key, value: (!deleted).then_some(entry) });
            }
        }
        shared.mirror.apply(changes);
        Ok(())
    }

    /// One line of the answer.
    async fn message(&mut self) -> Result<Watched, Failure> {
        let silent = |reason: String| Failure::Silent { reason, unknown: false };
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.rest) {
                let line: Vec<u8> = self.rest.drain(..=end).collect();
                let streamed: Streamed<Watched> = serde_json::from_slice(&line)
                    .map_err(|error| silent(format!("read what the watch says: {error}")))?;
                return match (streamed.result, streamed.error) {
                    (Some(watched), _) => Ok(watched),
                    (None, Some(complaint)) => Err(Failure::Refused(complaint)),
                    (None, None) => Err(silent("the watch says nothing".to_owned())),
                };
            }
            let chunk = self.response.chunk().await;
            match chunk.map_err(|error| silent(errors::chain(&error.without_url())))? {
                Some(bytes) => self.rest.extend_from_slice(&bytes),
                None => return Err(silent("the connection of the watch was closed".to_owned())),
            }
        }
    }
}

/// The failure of a watch as a caller's.
pub(super) fn told(shared: &Shared, end: End) -> StoreError {
    let failure = match end {
        End::Compacted => {
            let reason = "it no longer has all changes, the records are listed again".to_owned();
            Failure::Silent { reason, unknown: false }
        }
        End::Failed(failure) => failure,
    };
    shared.client.error("follow the records", failure)
}
