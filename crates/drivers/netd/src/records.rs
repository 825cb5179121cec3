//! Records in the state directory. They need not survive a power cut: nothing that they tell of does.

use crate::error::{Error, Result};
use durable::{FileError, Sync};
use serde::Serialize;
use std::io;
use std::path::Path;

/// Writes a record; makes the directory if it is the first.
pub(crate) fn write(state: &Path, path: &Path, record: &impl Serialize) -> Result<()> {
    let bytes = serde_json::to_vec(record).map_err(Error::Encode)?;
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
    match std::fs::remove_file(path) {
        Err(source) if source.kind() != io::ErrorKind::NotFound => {
            Err(FileError { action: "remove", path: path.to_owned(), source }.into())
        }
        _ => Ok(()),
    }
}
