//! A transaction as etcd's, and etcd's verdict on it.

use super::wire::{self, Response, Txn};
use crate::{Compare, Operation, Result, Revision, StoreError, Transaction};
use serde_json::{Value, json};

/// What etcd takes in one list (`--max-txn-ops`, unless somebody changed it).
const LIST: usize = 128;
/// Longer lists go as transactions inside of one: as many as this, of this many operations each, all applied together.
const NESTED: usize = 64;

/// How etcd is asked to carry out `transaction` for whoever wrote the lock at revision `fence`.
///
/// # Errors
/// [`StoreError::TooLarge`]
pub(super) fn request(
    transaction: &Transaction,
    records: &str,
    lock: &str,
    fence: Revision,
) -> Result<Value> {
    let Transaction { compares, operations } = transaction;
    bounded("comparisons", compares.len(), LIST - 1)?;
    bounded("changes", operations.len(), NESTED * NESTED)?;
    let mut compare = vec![compared(lock, Compare::Modified(fence))];
    compare.extend(compares.iter().map(|(key, wanted)| compared(&format!("{records}{key}"), *wanted)));
    let mut found = vec![wire::revision_of(lock)];
    found.extend(compares.iter().map(|(key, _)| wire::revision_of(&format!("{records}{key}"))));
    let made = operations.iter().map(|(key, operation)| change(&format!("{records}{key}"), operation));
    let made: Vec<_> = made.collect();
    let success = if made.len() <= LIST {
        made
    } else {
        made.chunks(NESTED).map(|part| json!({ "request_txn": { "success": part } })).collect()
    };
    Ok(json!({ "compare": compare, "success": success, "failure": found }))
}

fn bounded(what: &'static str, found: usize, limit: usize) -> Result<()> {
    if found <= limit { Ok(()) } else { Err(StoreError::TooLarge { what, found, limit }) }
}

fn compared(key: &str, wanted: Compare) -> Value {
    let key = wire::bytes(key);
    match wanted {
        // No key has revision 0, but to etcd one that does not exist has.
        Compare::Modified(0) => {
            json!({ "key": key, "target": "MOD", "result": "EQUAL", "mod_revision": "-1" })
        }
        Compare::Modified(revision) => {
            json!({ "key": key, "target": "MOD", "result": "EQUAL", "mod_revision": revision.to_string() })
        }
        Compare::Absent => {
            json!({ "key": key, "target": "CREATE", "result": "EQUAL", "create_revision": "0" })
        }
        Compare::Present => {
            json!({ "key": key, "target": "CREATE", "result": "GREATER", "create_revision": "0" })
        }
    }
}

fn change(key: &str, operation: &Operation) -> Value {
    let key = wire::bytes(key);
    match operation {
        Operation::Put(value) => json!({ "request_put": { "key": key, "value": wire::bytes(value) } }),
        Operation::Delete => json!({ "request_delete_range": { "key": key } }),
    }
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Verdict {
    /// Carried out, at this revision; none: it changed nothing.
    Done(Option<Revision>),
    /// A comparison did not hold.
    Conflict(StoreError),
    /// The lock is no longer what it was; nothing was changed.
    Unlocked,
}

pub(super) fn verdict(transaction: &Transaction, fence: Revision, answer: &Txn) -> Verdict {
    if answer.succeeded {
        return Verdict::Done(changes(&answer.responses).then_some(answer.header.revision));
    }
    let mut found = answer.responses.iter().map(|response| {
        let first = response.response_range.as_ref().and_then(|range| range.kvs.first());
        first.map(|record| record.mod_revision)
    });
    if found.next().flatten() != Some(fence) {
        return Verdict::Unlocked;
    }
    let differing = transaction.compares.iter().zip(found).find(|((_, wanted), found)| !wanted.holds(*found));
    match differing {
        Some(((key, expected), found)) => {
            Verdict::Conflict(StoreError::Conflict { key: key.clone(), expected: *expected, found })
        }
        // etcd compares and reads at the same revision.
        None => Verdict::Unlocked,
    }
}

fn changes(responses: &[Response]) -> bool {
    responses.iter().any(|response| {
        response.response_put.is_some()
            || response.response_delete_range.as_ref().is_some_and(|range| range.deleted > 0)
            || response.response_txn.as_ref().is_some_and(|inner| changes(&inner.responses))
    })
}
