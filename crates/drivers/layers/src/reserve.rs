//! The part of the disk that unpacking leaves to others: a small archive may hold a file of any size.

use crate::{LayerError, Result};
use rustix::fd::OwnedFd;
use rustix::fs::{StatVfs, fstatvfs};
use rustix::io::Errno;

/// Of a file system this part stays free, …
const PART: u64 = 50;
/// … but no more than so many bytes.
const MOST: u64 = 1 << 30;
/// So many bytes are written between two looks, or half of what stays free if that is less.
const STEP: u64 = 16 << 20;

/// Looks after the free space of a file system while something is written to it.
pub(crate) struct Reserve {
    directory: OwnedFd,
    step: u64,
    /// When to look again, bytes.
    next: u64,
}

impl Reserve {
    /// Of the file system that the directory is on.
    pub(crate) fn of(directory: OwnedFd) -> Result<Self> {
        let step = (kept(&look(&directory)?) / 2).min(STEP);
        Ok(Self { directory, step, next: step })
    }

    /// To be called with the bytes that were written so far, before the next are.
    ///
    /// # Errors
    /// [`LayerError::Reserve`] where too little is left.
    pub(crate) fn check(&mut self, written: u64) -> Result<()> {
        if written < self.next {
            return Ok(());
        }
        self.next = written + self.step;
        match lacking(&look(&self.directory)?) {
            None => Ok(()),
            Some(what) => Err(LayerError::Reserve { what, source: Errno::NOSPC.into() }),
        }
    }
}

fn look(directory: &OwnedFd) -> Result<StatVfs> {
    fstatvfs(directory).map_err(|errno| LayerError::Io {
        action: "ask for the free space of",
        path: "the layers' file system".into(),
        source: errno.into(),
    })
}

/// Bytes that have to stay free.
fn kept(disk: &StatVfs) -> u64 {
    (disk.f_blocks / PART).saturating_mul(disk.f_frsize).min(MOST)
}

/// What there is too little of.
fn lacking(disk: &StatVfs) -> Option<&'static str> {
    if disk.f_bavail.saturating_mul(disk.f_frsize) < kept(disk) {
        return Some("a fiftieth of the disk (at most 1 GiB)");
    }
    // Those that make inodes as they need them count none.
    (disk.f_favail < disk.f_files / PART).then_some("a fiftieth of the file system's inodes")
}
