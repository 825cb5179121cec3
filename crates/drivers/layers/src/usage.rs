//! How much a snapshot takes.

use crate::error::at;
use crate::{Layers, Result};
use std::collections::HashSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// What a directory tree takes on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Allocated bytes, of a file with several names once.
    pub bytes: u64,
    /// Files and directories.
    pub inodes: u64,
}

impl Layers {
    /// What a container wrote. Walks its directory; what vanishes meanwhile is not counted.
    pub fn usage(&self, key: &str) -> Result<Usage> {
        tree(self.snapshot_dir(key)?.join("upper"))
    }
}

fn tree(root: PathBuf) -> Result<Usage> {
    let (mut usage, mut linked, mut open) = (Usage::default(), HashSet::new(), vec![root]);
    while let Some(dir) = open.pop() {
        let entries = match fs::read_dir(&dir) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            other => other.map_err(at("read", &dir))?,
        };
        for entry in entries.flatten() {
            let Ok(stat) = entry.metadata() else { continue };
            if stat.nlink() > 1 && !stat.is_dir() && !linked.insert((stat.dev(), stat.ino())) {
                continue;
            }
            usage.bytes += stat.blocks() * 512;
            usage.inodes += 1;
            if stat.is_dir() {
                open.push(entry.path());
            }
        }
    }
    Ok(usage)
}
