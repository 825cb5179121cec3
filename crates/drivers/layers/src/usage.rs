//! How much a snapshot, a layer and everything around them take.

use crate::error::at;
use crate::{LayerError, LayerId, Layers, Result, walk};
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

    /// All of a container's snapshot, the kernel's work directory included. None: it is gone.
    pub fn snapshot_usage(&self, key: &str) -> Result<Option<Usage>> {
        whole(&self.snapshot_dir(key)?)
    }

    /// A layer with its own directory. It never changes, so that once is enough. None: it is gone.
    pub fn layer_usage(&self, id: &LayerId) -> Result<Option<Usage>> {
        whole(&self.layer_dir(id))
    }

    /// What is neither a layer's nor a snapshot's: what is being unpacked or deleted, and the directories themselves.
    pub fn other_usage(&self) -> Result<Usage> {
        let root = &self.inner.root;
        let mut usage = Usage::default();
        for name in ["i", "e", "tmp", "trash"] {
            usage.add(whole(&root.join(name))?.unwrap_or_default());
        }
        for dir in [root.clone(), root.join("l"), root.join("c")] {
            usage.add(own(&dir).map_err(at("stat", &dir))?);
        }
        Ok(usage)
    }
}

impl Usage {
    /// Both together.
    pub fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.inodes += other.inodes;
    }
}

/// A directory and all in it.
fn whole(path: &Path) -> Result<Option<Usage>> {
    let measured = own(path).and_then(|mut usage| {
        usage.add(tree(path)?);
        Ok(usage)
    });
    match measured {
        Err(Errno::NOENT) => Ok(None),
        other => other.map(Some).map_err(at("read", path)),
    }
}

/// A directory without what is in it.
fn own(path: &Path) -> Result<Usage, Errno> {
    let stat = rustix::fs::lstat(path)?;
    Ok(Usage { bytes: u64::try_from(stat.st_blocks).unwrap_or(0) * 512, inodes: 1 })
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
