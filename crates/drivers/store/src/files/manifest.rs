//! The manifest: which records there were at the last checkpoint, so that what was changed, lost or put back since is found.

use super::record;
use crate::mirror::Records;
use crate::{Result, Revision};
use durable::Sync;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;

/// Raised by a change that an older program would misread.
pub(super) const SCHEMA: u64 = 1;

/// The first line; the others are `checksum revision key`.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    schema: u64,
    revision: Revision,
    /// Of the lines below.
    checksum: String,
}

/// What a record's file must be.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) checksum: String,
    pub(super) modified: Revision,
}

/// The records of a checkpoint.
#[derive(Debug, Default)]
pub(super) struct Manifest {
    pub(super) revision: Revision,
    pub(super) records: BTreeMap<String, Expected>,
}

/// Why a manifest can't be used.
#[derive(Debug)]
pub(super) enum Unusable {
    Damaged(String),
    Newer(u64),
}

/// Puts it in the place of the last one, durably.
pub(super) fn write(path: &Path, records: &Records) -> durable::Result<()> {
    let mut lines = String::new();
    for (key, entry) in &records.entries {
        let checksum = record::checksum(key, entry.modified, Some(entry));
        lines.push_str(&format!("{checksum} {} {key}\n", entry.modified));
    }
    let head = Head { schema: SCHEMA, revision: records.revision, checksum: sum(records.revision, &lines) };
    let head = serde_json::json!(head);
    durable::write_atomic_mode(path, format!("{head}\n{lines}").as_bytes(), 0o600, Sync::FileAndDir)
}

fn sum(revision: Revision, lines: &str) -> String {
    let mut hash = Sha256::new();
    hash.update(revision.to_le_bytes());
    hash.update(lines);
    hex::encode(hash.finalize())
}

pub(super) fn parse(bytes: &[u8]) -> Result<Manifest, Unusable> {
    let damaged = |reason: &str| Unusable::Damaged(reason.to_owned());
    let text = std::str::from_utf8(bytes).map_err(|_| damaged("it is not UTF-8 text"))?;
    let (head, lines) = text.split_once('\n').ok_or_else(|| damaged("it has no first line"))?;
    let head: Head = serde_json::from_str(head).map_err(|error| Unusable::Damaged(error.to_string()))?;
    if head.schema > SCHEMA {
        return Err(Unusable::Newer(head.schema));
    }
    if head.schema == 0 || head.checksum != sum(head.revision, lines) {
        return Err(damaged("it does not have the checksum that it names"));
    }
    let mut records = BTreeMap::new();
    for line in lines.lines() {
        let mut words = line.splitn(3, ' ');
        let (Some(checksum), Some(modified), Some(key)) = (words.next(), words.next(), words.next()) else {
            return Err(damaged("a line of it has too few words"));
        };
        let modified = modified.parse().map_err(|_| damaged("a revision in it is no number"))?;
        records.insert(key.to_owned(), Expected { checksum: checksum.to_owned(), modified });
    }
    Ok(Manifest { revision: head.revision, records })
}
