//! The default backend: one file, no server.

use crate::{Result, StateStore};
use std::path::Path;
use std::sync::Arc;

/// What the embedded store may use.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Bytes of the file that are kept in memory.
    pub cache_bytes: usize,
    /// Changes that watchers can look back on.
    pub history_changes: usize,
    /// Bytes of keys and values that these may hold.
    pub history_bytes: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 2 << 20, history_changes: 4096, history_bytes: 2 << 20 }
    }
}

/// Opens the store in the file `path`, or makes it.
pub fn open_redb(path: &Path) -> Result<Arc<dyn StateStore>> {
    open_redb_with(path, Options::default())
}

/// As [`open_redb`], with limits of the caller's choice.
pub fn open_redb_with(path: &Path, options: Options) -> Result<Arc<dyn StateStore>> {
    todo!("{path:?} {options:?}")
}
