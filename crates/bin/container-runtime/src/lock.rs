//! Locks on directories that one process works on at a time.

use anyhow::{Context, Result};
use durable::{LockError, LockFile};
use std::path::Path;

/// Takes the lock `name` in `dir`; `rule` is told where another process has it.
pub(crate) fn acquire(dir: &Path, name: &str, rule: &'static str) -> Result<LockFile> {
    match LockFile::acquire(&dir.join(name)) {
        Err(error @ LockError::AlreadyHeld { .. }) => Err(error).context(rule),
        other => Ok(other?),
    }
}
