//! Records in the state directory. They need not survive a power cut: nothing that they tell of does.

use crate::error::{Error, Result};
use durable::{FileError, Sync};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

/// What a record is on disk.
pub(crate) fn encode(record: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(record).map_err(Error::Encode)
}

/// Writes a record; makes the directory if it is the first.
pub(crate) fn write(state: &Path, path: &Path, record: &impl Serialize) -> Result<()> {
    let bytes = encode(record)?;
    match durable::write_atomic(path, &bytes, Sync::None) {
        Err(error) if error.source.kind() == io::ErrorKind::NotFound => {
            durable::create_dir_all(&state.join(netd_protocol::file::RECORDS), 0o700)?;
            Ok(durable::write_atomic(path, &bytes, Sync::None)?)
        }
        written => Ok(written?),
    }
}

/// Removes a record, if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    durable::remove_optional(path)?;
    Ok(())
}

/// All records that are there, by where they are.
pub(crate) fn read(state: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let directory = state.join(netd_protocol::file::RECORDS);
    let failed = |path: &Path, source| FileError { action: "read", path: path.to_owned(), source };
    let entries = match std::fs::read_dir(&directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        entries => entries.map_err(|error| failed(&directory, error))?,
    };
    let mut found = BTreeMap::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(&directory, error))?.path();
        if path.extension().is_some_and(|extension| extension == "json") {
            // One that a container's end removed meanwhile is not there.
            if let Some(bytes) = durable::read_optional(&path)? {
                found.insert(path, bytes);
            }
        }
    }
    Ok(found)
}

/// The networks and the containers that these are records of.
pub(crate) fn ids(paths: &BTreeSet<PathBuf>) -> (Vec<String>, Vec<String>) {
    let names = || paths.iter().filter_map(|path| path.file_stem()?.to_str());
    let of = |kind: &'static str| names().filter_map(move |name| name.strip_prefix(kind));
    (of("network-").map(str::to_owned).collect(), of("container-").map(str::to_owned).collect())
}
