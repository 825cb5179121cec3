//! Files that are replaced as a whole.

use crate::{Result, at, dirs};
use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What a write waits for before it returns. Stated by the caller for each kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sync {
    /// Nothing: for what can be made again after a power cut. A crash of the process loses nothing either way.
    None,
    /// The content: after a power cut the file is the old or the new one, never empty.
    File,
    /// Content and name: after a power cut it is the new one.
    FileAndDir,
}

/// Ends the name of a file that has not got its real name yet.
const SUFFIX: &str = ".tmp~";

/// Replaces or creates the file `path`, mode 0644, in one step.
pub fn write_atomic(path: &Path, bytes: &[u8], sync: Sync) -> Result<()> {
    write_atomic_mode(path, bytes, 0o644, sync)
}

/// As [`write_atomic`], with these permission bits whatever the umask is.
///
/// A crash may leave a temporary file beside `path`, which [`sweep`] removes.
pub fn write_atomic_mode(path: &Path, bytes: &[u8], mode: u32, sync: Sync) -> Result<()> {
    let temporary = temporary(path);
    let written = fill(&temporary, bytes, mode, sync)
        .and_then(|()| std::fs::rename(&temporary, path).map_err(at("rename", &temporary)));
    if written.is_err() {
        // The first error is the one to tell; what stays is swept later.
        let _ = rustix::fs::unlinkat(CWD, &temporary, AtFlags::empty());
    }
    written?;
    match sync {
        Sync::FileAndDir => dirs::sync_parent(path),
        Sync::None | Sync::File => Ok(()),
    }
}

fn fill(path: &Path, bytes: &[u8], mode: u32, sync: Sync) -> Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let mode = Mode::from_raw_mode(mode);
    let mut file = File::from(rustix::fs::open(path, flags, mode).map_err(at("create", path))?);
    rustix::fs::fchmod(&file, mode).map_err(at("set the mode of", path))?;
    file.write_all(bytes).map_err(at("write", path))?;
    match sync {
        Sync::None => Ok(()),
        Sync::File | Sync::FileAndDir => file.sync_all().map_err(at("sync", path)),
    }
}

/// A name beside `path` that no other write of this or another process uses.
fn temporary(path: &Path) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}-{number}{SUFFIX}", std::process::id()));
    path.with_file_name(name)
}

/// Removes the temporary files that crashed writers left directly below `dir`, and says how many.
///
/// Call it only while no other process writes there.
pub fn sweep(dir: &Path) -> Result<usize> {
    let mut swept = 0;
    for entry in std::fs::read_dir(dir).map_err(at("read", dir))? {
        let entry = entry.map_err(at("read", dir))?;
        let name = entry.file_name();
        if name.as_bytes().starts_with(b".") && name.as_bytes().ends_with(SUFFIX.as_bytes()) {
            std::fs::remove_file(entry.path()).map_err(at("remove", &entry.path()))?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// The content of `path`, or none if there is no such file.
pub fn read_optional(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(at("read", path)(error)),
    }
}

/// Removes the file `path`; false if there is no such file.
pub fn remove_optional(path: &Path) -> Result<bool> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(at("remove", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_write_replaces_the_whole_file_and_leaves_nothing_beside_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("record");
        write_atomic(&path, b"a longer first content", Sync::FileAndDir).unwrap();
        write_atomic_mode(&path, b"second", 0o600, Sync::None).unwrap();
        assert_eq!(read_optional(&path).unwrap().as_deref(), Some(&b"second"[..]));
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(remove_optional(&path).unwrap());
        assert!(!remove_optional(&path).unwrap());
        assert_eq!(remove_optional(dir.path()).unwrap_err().path, dir.path());
    }

    #[test]
    fn a_failed_write_names_the_file_and_leaves_the_old_content() {
        let dir = tempfile::tempdir().unwrap();
        let taken = dir.path().join("taken");
        std::fs::create_dir(&taken).unwrap();
        let error = write_atomic(&taken, b"x", Sync::File).unwrap_err();
        assert_eq!(error.action, "rename");
        assert!(taken.is_dir());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(read_optional(&dir.path().join("absent")).unwrap(), None);
    }

    #[test]
    fn sweeping_takes_crashed_writers_files_only() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(temporary(&dir.path().join("record")), b"half").unwrap();
        std::fs::write(dir.path().join("record"), b"whole").unwrap();
        std::fs::write(dir.path().join("notes.tmp~"), b"a user's").unwrap();
        assert_eq!(sweep(dir.path()).unwrap(), 1);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2);
    }
}
