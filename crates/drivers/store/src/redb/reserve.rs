//! Blocks for the parts of the store's file that nothing was written to yet: a full disk must not keep anybody from deleting.
//!
//! redb makes its file longer by far than it needs at the moment, with holes. A transaction writes to free pages, also one that
//! deletes; where those are holes and the disk is full, nothing could be removed any more.

use rustix::fs::{FallocateFlags, fallocate};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

/// Fills the holes of a file.
#[derive(Debug)]
pub(super) struct Reserve {
    file: File,
    /// So far it has none.
    filled: AtomicU64,
}

impl Reserve {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let reserve = Self { file: File::options().write(true).open(path)?, filled: AtomicU64::new(0) };
        reserve.extend();
        Ok(reserve)
    }

    /// Fills what came to the file since the last time. Where it can't (the disk is full, the file system has no holes) the store works
    /// as it did.
    pub(super) fn extend(&self) {
        let filled = self.filled.load(Ordering::Relaxed);
        let Ok(length) = self.file.metadata().map(|metadata| metadata.len()) else { return };
        let more = length.saturating_sub(filled);
        if more > 0
            && let Err(error) = fallocate(&self.file, FallocateFlags::empty(), filled, more)
        {
            tracing::debug!(%error, "the state store has no blocks in reserve");
            return;
        }
        // It may have become shorter: what is cut off and comes again has holes again.
        self.filled.store(length, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::Reserve;
    use std::fs::File;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn holes_are_filled_as_the_file_grows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let file = File::create(&path).unwrap();
        file.set_len(1 << 20).unwrap();
        let reserve = Reserve::of(&path).unwrap();
        let blocks = || file.metadata().unwrap().blocks() * 512;
        assert!(blocks() >= 1 << 20);
        file.set_len(3 << 20).unwrap();
        reserve.extend();
        assert!(blocks() >= 3 << 20);
        file.set_len(1 << 20).unwrap();
        reserve.extend();
        file.set_len(2 << 20).unwrap();
        reserve.extend();
        assert!(blocks() >= 2 << 20);
    }
}
