//! Opening the directory: what the files say, what the journal adds, and whether all of it fits together.

use super::journal::Journal;
use super::manifest::{self, Manifest, Unusable};
use super::record;
use super::{JOURNAL, MANIFEST, RECORDS};
use crate::mirror::Records;
use crate::place::cannot_open;
use crate::stored::Stored;
use crate::watch::Change;
use crate::{Entry, Result, Revision, StoreError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What is wrong with a file of the store.
#[derive(Debug, thiserror::Error)]
#[error("{file} is not what the engine wrote (it was changed by hand, or by a fault of the disk): {reason}")]
struct NotOurs {
    file: String,
    reason: String,
}

/// What was found.
pub(super) struct Opened {
    pub(super) journal: Journal,
    pub(super) records: Records,
    /// Keys whose files are not yet what the journal says, and those of deletions that are left over.
    pub(super) dirty: BTreeSet<String>,
    /// Whether there was nothing.
    pub(super) fresh: bool,
}

/// Reads everything. Nothing of it is taken unless all of it fits.
pub(super) fn read(dir: &Path) -> Result<Opened> {
    let failed = |error: std::io::Error| cannot_open(dir, error);
    let not_ours = |file: &str, reason: String| damaged(dir, file, reason);
    let bytes = durable::read_optional(&dir.join(MANIFEST)).map_err(|error| failed(error.source))?;
    let (mut journal, changes) = Journal::open(&dir.join(JOURNAL)).map_err(failed)?;
    let changes = changes.map_err(|reason| not_ours(JOURNAL, reason))?;
    let files = files(dir)?;
    let Some(bytes) = bytes else {
        if changes.is_empty() && files.is_empty() {
            journal.clear().map_err(failed)?;
            return Ok(Opened { journal, records: Records::default(), dirty: BTreeSet::new(), fresh: true });
        }
        return Err(not_ours(MANIFEST, "it is missing".to_owned()));
    };
    let manifest = manifest::parse(&bytes).map_err(|unusable| match unusable {
        Unusable::Damaged(reason) => not_ours(MANIFEST, reason),
        Unusable::Newer(found) => StoreError::Newer { path: dir.to_owned(), found, known: manifest::SCHEMA },
    })?;
    let (records, dirty) = put_together(dir, manifest, changes, files)?;
    Ok(Opened { journal, records, dirty, fresh: false })
}

fn damaged(dir: &Path, file: &str, reason: String) -> StoreError {
    let found = NotOurs { file: file.to_owned(), reason };
    StoreError::Damaged { path: dir.to_owned(), source: Box::new(found) }
}

/// What stands in a record's file, or why that can't be read. A crash may leave such a file where the journal has its content.
type Read = Result<(Stored, Option<Entry>), String>;

/// All files of records, by their names.
fn files(dir: &Path) -> Result<BTreeMap<String, Read>> {
    let records = dir.join(RECORDS);
    let failed = |error: std::io::Error| cannot_open(&records, error);
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(&records).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let bytes = match std::fs::read(entry.path()) {
            Err(error) if error.kind() == std::io::ErrorKind::IsADirectory => {
                return Err(damaged(dir, &format!("{RECORDS}/{name}"), "it is a directory".to_owned()));
            }
            other => other.map_err(failed)?,
        };
        files.insert(name, record::decode(&bytes));
    }
    Ok(files)
}

fn put_together(
    dir: &Path,
    manifest: Manifest,
    changes: Vec<Change>,
    mut files: BTreeMap<String, Read>,
) -> Result<(Records, BTreeSet<String>)> {
    let not_ours = |name: &str, reason: String| damaged(dir, &format!("{RECORDS}/{name}"), reason);
    // A crash between a checkpoint's manifest and the clearing of the journal leaves what is in both.
    let changes = changes.into_iter().filter(|change| change.revision > manifest.revision);
    let mut journal: BTreeMap<String, Change> = BTreeMap::new();
    let mut revision = manifest.revision;
    for change in changes {
        revision = change.revision;
        journal.insert(change.key.clone(), change);
    }
    // Each commit leaves a file with its revision, also one that deletes: so a journal that lost its end is found.
    for (name, read) in &files {
        if let Ok((stored, _)) = read
            && stored.modified > revision
        {
            return Err(lost(dir, name, stored.modified, revision));
        }
    }
    let mut entries = BTreeMap::new();
    for (key, expected) in manifest.records {
        let name = record::file_name(&key);
        if journal.contains_key(&key) {
            continue;
        }
        let (stored, entry) = match files.remove(&name) {
            Some(read) => read.map_err(|reason| not_ours(&name, reason))?,
            None => return Err(not_ours(&name, "it is missing".to_owned())),
        };
        // The content has the checksum that it names: that was seen when it was read.
        let is_expected = stored.key == key
            && stored.modified == expected.modified
            && stored.checksum.as_ref() == Some(&expected.checksum);
        let entry = entry
            .filter(|_| is_expected)
            .ok_or_else(|| not_ours(&name, "it is not the record's last content".to_owned()))?;
        entries.insert(key, entry);
    }
    let mut dirty: BTreeSet<String> = journal.keys().cloned().collect();
    for (key, change) in journal {
        files.remove(&record::file_name(&key));
        if let Some(entry) = change.value {
            entries.insert(key, entry);
        }
    }
    // What is left are deletions from before the checkpoint, or nobody's.
    for (name, read) in files {
        match read {
            Ok((stored, None)) if record::file_name(&stored.key) == name => {
                dirty.insert(stored.key);
            }
            Ok(_) => return Err(not_ours(&name, "the manifest does not know it".to_owned())),
            Err(reason) => return Err(not_ours(&name, reason)),
        }
    }
    Ok((Records { revision, entries }, dirty))
}

fn lost(dir: &Path, name: &str, found: Revision, journal: Revision) -> StoreError {
    damaged(dir, JOURNAL, format!("it ends with revision {journal}, but {RECORDS}/{name} is of {found}"))
}
