//! Beside the store, the latest revision that was answered for.
//!
//! redb's file names its two latest states. If the part that names the latest is damaged, redb takes the one before, and says nothing:
//! to it that is a commit that a crash cut off. Only somebody who knows that the commit was complete can tell. So each commit
//! leaves its revision here, after it is on disk; without a sync of its own, since a mark that is too old does no harm.

use crate::Revision;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// The store is older than what was answered for.
#[derive(Debug, thiserror::Error)]
#[error(
    "it is at revision {revision}, though revision {marked} was on disk (if it is an older copy that was put there on purpose, \
     remove {mark})"
)]
pub(super) struct Lost {
    pub(super) revision: Revision,
    pub(super) marked: Revision,
    pub(super) mark: PathBuf,
}

#[derive(Debug)]
pub(super) struct Mark(File);

impl Mark {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self(File::options().write(true).create(true).truncate(false).open(path)?))
    }

    /// Where it can't (the disk is full) the older one stays, which does no harm.
    pub(super) fn set(&self, revision: Revision) {
        if let Err(error) = self.0.write_all_at(line(revision).as_bytes(), 0) {
            tracing::debug!(%error, "the state store's mark is not up to date");
        }
    }
}

fn line(revision: Revision) -> String {
    let number = format!("{revision:020}");
    let mut check = hex::encode(Sha256::digest(&number));
    check.truncate(16);
    format!("{number} {check}\n")
}

/// What is marked, if anything that can be read is.
pub(super) fn read(path: &Path) -> Option<Revision> {
    let text = std::fs::read_to_string(path).ok()?;
    let revision = text.get(..20)?.parse().ok()?;
    (text == line(revision)).then_some(revision)
}
