//! `compress LOG`: compresses the rotated files of a log, and yields to everything else meanwhile.

use crate::error::{Error, Result};
use std::path::Path;

/// Beside the shim that writes the log.
pub(crate) fn compress(log: Option<&Path>) -> Result<()> {
    let log = log.ok_or_else(|| Error::invalid("compress needs the log"))?;
    // A sandbox may forbid it; then it is no less to be done.
    let _ = sys::priority::background_thread();
    logs::json_file::compress_rotated(log).map_err(|error| Error::Runtime {
        class: errors::Classified::class(&error),
        message: errors::chain(&error),
    })
}
