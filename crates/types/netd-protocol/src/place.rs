//! Where a record is.

use crate::file::RECORDS;
use std::path::{Path, PathBuf};

/// The record of a network.
pub fn network_file(state: &Path, id: &str) -> PathBuf {
    state.join(RECORDS).join(format!("network-{id}.json"))
}

/// The record of a container.
pub fn container_file(state: &Path, id: &str) -> PathBuf {
    state.join(RECORDS).join(format!("container-{id}.json"))
}
