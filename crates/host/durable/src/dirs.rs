//! Directories whose names survive a power cut.

use crate::{Result, at};
use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

/// Creates `path` and the parents that are missing, each with permission bits `mode` less the umask.
///
/// Every directory in which a name was made is synced, so that the whole path survives a power cut. Directories
/// that exist stay as they are.
pub fn create_dir_all(path: &Path, mode: u32) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = parent_of(path) {
        create_dir_all(parent, mode)?;
    }
    match DirBuilder::new().mode(mode).create(path) {
        Ok(()) => sync_parent(path),
        // Made meanwhile by somebody else, who may not have synced it yet.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => sync_parent(path),
        Err(error) => Err(at("create directory", path)(error)),
    }
}

/// Renames `from` to `to`, replacing it, and syncs the directories of both.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to).map_err(at("rename", from))?;
    sync_parent(to)?;
    if parent_of(from) == parent_of(to) { Ok(()) } else { sync_parent(from) }
}

/// Waits until the names in `dir` are on disk.
pub fn sync_dir(dir: &Path) -> Result<()> {
    File::open(dir).and_then(|file| file.sync_all()).map_err(at("sync", dir))
}

pub(crate) fn sync_parent(path: &Path) -> Result<()> {
    sync_dir(parent_of(path).unwrap_or_else(|| Path::new(".")))
}

/// The directory that holds the name, if the path says it.
fn parent_of(path: &Path) -> Option<&Path> {
    path.parent().filter(|parent| !parent.as_os_str().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_parents_are_made_and_existing_ones_accepted() {
        let dir = tempfile::tempdir().unwrap();
        let deep = dir.path().join("a/b/c");
        create_dir_all(&deep, 0o711).unwrap();
        create_dir_all(&deep, 0o700).unwrap();
        assert!(deep.is_dir());
        std::fs::write(dir.path().join("file"), b"").unwrap();
        let error = create_dir_all(&dir.path().join("file/x"), 0o700).unwrap_err();
        assert!(error.path.ends_with("file"), "{error}");
    }

    #[test]
    fn rename_replaces_the_target() {
        let dir = tempfile::tempdir().unwrap();
        let (old, new) = (dir.path().join("old"), dir.path().join("new"));
        std::fs::write(&old, b"1").unwrap();
        std::fs::write(&new, b"2").unwrap();
        rename(&old, &new).unwrap();
        assert_eq!(std::fs::read(&new).unwrap(), b"1");
    }
}
