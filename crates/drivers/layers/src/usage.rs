//! How much a snapshot takes.

use crate::error::at;
use crate::{LayerError, Layers, Result, walk};
use rustix::io::Errno;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// What a directory tree takes on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Allocated bytes, of a file with several names once.
    pub bytes: u64,
    /// Files and directories.
    pub inodes: u64,
}

impl Layers {
    /// What a container wrote. Walks its directory.
    pub fn usage(&self, key: &str) -> Result<Usage> {
        let path = self.snapshot_dir(key)?.join("upper");
        match tree(&path) {
            Err(Errno::NOENT) => Err(LayerError::NotFound { key: key.to_owned() }),
            other => other.map_err(at("read", &path)),
        }
    }
}

fn tree(path: &Path) -> Result<Usage, Errno> {
    let root = walk::open_root(path)?;
    let (mut usage, mut linked, mut open) = (Usage::default(), HashSet::new(), vec![PathBuf::new()]);
    while let Some(dir) = open.pop() {
        for (path, stat) in walk::list(&root, &dir).unwrap_or_default() {
            if walk::is_dir(&stat) {
                open.push(path);
            } else if stat.st_nlink > 1 && !linked.insert(stat.st_ino) {
                continue;
            }
            usage.bytes += u64::try_from(stat.st_blocks).unwrap_or(0) * 512;
            usage.inodes += 1;
        }
    }
    Ok(usage)
}
