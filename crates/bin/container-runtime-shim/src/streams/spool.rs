//! What a slow client has not taken yet, on disk: a file without a name, which goes with its descriptor.

use rustix::fs::{FallocateFlags, Mode, OFlags, fallocate, ftruncate};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Most that waits on disk for one client.
pub(super) const LIMIT: u64 = 1 << 30;
/// How much is read before its place on disk is given back.
const PIECE: u64 = 16 << 20;

/// Bytes in the order in which they came.
#[derive(Debug)]
pub(super) struct Spool {
    file: File,
    /// What has been read already.
    start: u64,
    end: u64,
    /// Up to where its place was given back.
    freed: u64,
}

impl Spool {
    /// An empty one in `directory`.
    pub(super) fn new(directory: &Path) -> io::Result<Self> {
        let flags = OFlags::TMPFILE | OFlags::RDWR | OFlags::CLOEXEC;
        let file = rustix::fs::open(directory, flags, Mode::RUSR | Mode::WUSR)?;
        Ok(Self { file: file.into(), start: 0, end: 0, freed: 0 })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Appends all of it or nothing.
    pub(super) fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.end - self.start + bytes.len() as u64 > LIMIT {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.file.write_all_at(bytes, self.end)?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Takes up to so many bytes from its front.
    pub(super) fn take(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let rest = usize::try_from(self.end - self.start).unwrap_or(usize::MAX);
        let mut bytes = vec![0; count.min(rest)];
        self.file.read_exact_at(&mut bytes, self.start)?;
        self.start += bytes.len() as u64;
        self.free();
        Ok(bytes)
    }

    /// Gives the place of what was read back. Where the file system can't, that waits until the client has everything.
    fn free(&mut self) {
        if self.is_empty() {
            if ftruncate(&self.file, 0).is_ok() {
                (self.start, self.end, self.freed) = (0, 0, 0);
            }
        } else if self.start - self.freed >= PIECE {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            let _ = fallocate(&self.file, flags, self.freed, self.start - self.freed);
            self.freed = self.start;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn what_is_read_gives_its_place_back() {
        let directory = std::env::temp_dir();
        let mut spool = Spool::new(&directory).unwrap();
        let chunk: Vec<u8> = (0..1_u32 << 18).flat_map(u32::to_ne_bytes).collect();
        for _ in 0..40 {
            spool.push(&chunk).unwrap();
        }
        for _ in 0..39 {
            assert!(spool.take(chunk.len()).unwrap() == chunk);
        }
        let blocks = spool.file.metadata().unwrap().blocks() * 512;
        assert!(blocks < 3 * PIECE, "{blocks} bytes are held for one MiB");
        assert!(spool.take(usize::MAX).unwrap() == chunk && spool.is_empty());
        assert_eq!(spool.file.metadata().unwrap().len(), 0);
    }
}
