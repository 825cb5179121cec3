//! `shim.log`: the shim's own complaints.
//!
//! The one global of this program: whatever goes wrong, wherever, must have a place to be said, and there is one
//! container per process.

use std::fmt::Display;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::SystemTime;

static FILE: OnceLock<PathBuf> = OnceLock::new();

/// From now on complaints go to this file.
pub(crate) fn open(path: &Path) {
    let _ = FILE.set(path.to_owned());
}

/// The file, to be handed to a process whose complaints belong there too.
pub(crate) fn file() -> std::io::Result<File> {
    let path = FILE.get().map_or_else(|| Path::new("/dev/null"), PathBuf::as_path);
    File::options().create(true).append(true).open(path)
}

/// Writes a line. Before there is a file it goes to standard error, which `serve` has on `/dev/null`.
pub(crate) fn note(line: impl Display) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let line = format!("{}.{:06} {line}\n", now.as_secs(), now.subsec_micros());
    // A complaint that can't be written has nowhere else to go.
    let _ = match FILE.get() {
        Some(_) => file().and_then(|mut file| file.write_all(line.as_bytes())),
        None => std::io::stderr().write_all(line.as_bytes()),
    };
}
