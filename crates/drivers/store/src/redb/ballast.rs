//! Blocks that are given up when the store itself has filled the disk, so that something can be deleted.
//!
//! What others fill is no trouble: the store's file has no holes (see reserve.rs). But where the last thing that came to the disk was the
//! file's own growth, a transaction that deletes finds no block for the pages that it writes.

use rustix::fs::{FallocateFlags, fallocate};
use std::fs::File;
use std::path::PathBuf;

/// Some dozen transactions' worth of pages; each makes room for the next.
const BYTES: u64 = 256 << 10;

#[derive(Debug)]
pub(super) struct Ballast {
    path: PathBuf,
    there: bool,
}

impl Ballast {
    pub(super) fn new(path: PathBuf) -> Self {
        let mut ballast = Self { path, there: false };
        ballast.take();
        ballast
    }

    /// Takes the blocks again, if they are not there and the disk has them.
    pub(super) fn take(&mut self) {
        if self.there {
            return;
        }
        let taken = File::options().write(true).create(true).truncate(false).open(&self.path);
        match taken.and_then(|file| Ok(fallocate(&file, FallocateFlags::empty(), 0, BYTES)?)) {
            Ok(()) => self.there = true,
            Err(error) => {
                tracing::debug!(%error, "no blocks for the time when the disk is full");
                self.remove();
            }
        }
    }

    /// Gives them up; false if there were none.
    pub(super) fn give_up(&mut self) -> bool {
        std::mem::take(&mut self.there) && self.remove()
    }

    fn remove(&self) -> bool {
        durable::remove_optional(&self.path).unwrap_or_else(|error| {
            tracing::debug!(error = %errors::chain(&error), "can't give blocks up");
            false
        })
    }
}
