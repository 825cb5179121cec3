//! Removing the daemon's directories after a purge.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// Removes the directories, but for what leads to the sockets in `kept`: systemd made those, and calls the next
/// daemon through them. In their order: the last is that of the state, since a client takes the socket's end for the daemon's.
pub(super) fn remove_directories(dirs: &[&Path], kept: &[PathBuf]) -> Result<()> {
    for dir in dirs {
        remove_around(dir, kept)?;
    }
    Ok(())
}

/// Removes a directory, or what in it does not lead to `kept`.
fn remove_around(dir: &Path, kept: &[PathBuf]) -> Result<()> {
    if !kept.iter().any(|path| path.starts_with(dir)) {
        for leftover in durable::remove_tree(dir)? {
            tracing::error!(path = %leftover.path.display(), error = %leftover.error, "purge: can't remove");
        }
        return Ok(());
    }
    if kept.iter().any(|path| path == dir) {
        return Ok(());
    }
    for entry in std::fs::read_dir(dir).with_context(|| format!("list {}", dir.display()))? {
        remove_around(&entry?.path(), kept)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn a_socket_of_systemds_and_its_directories_stay() {
        let base = tempfile::tempdir().unwrap();
        let (root, state) = (base.path().join("root"), base.path().join("state"));
        let socket = state.join("api/engine.sock");
        for file in
            [root.join("state.db"), state.join("containers/a"), state.join("api/other"), socket.clone()]
        {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        remove_directories(&[&root, &state], std::slice::from_ref(&socket)).unwrap();
        assert!(socket.exists() && !root.exists());
        assert!(!state.join("containers").exists() && !state.join("api/other").exists());
        remove_directories(&[&root, &root, &state], &[]).unwrap();
        assert!(!state.exists());
    }
}
