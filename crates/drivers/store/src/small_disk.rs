//! A file system in memory that is soon full, for tests.

use std::io::Write;
use std::path::Path;
use std::process::Command;

/// Unmounted when dropped, also when an assertion fails.
pub(crate) struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    /// None, with a word about it, where mounting is not allowed.
    pub(crate) fn mount(size: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(dir.path())
            .status();
        if !mounted.is_ok_and(|status| status.success()) {
            std::io::stderr().write_all(b"skipped: mounting a tmpfs needs root\n").unwrap();
            return None;
        }
        Some(Self(dir))
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}
