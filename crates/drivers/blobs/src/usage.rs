//! How much blobs take on disk.

use crate::error::at;
use crate::{Blobs, Result};
use oci::Digest;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What the store of blobs takes on disk, in allocated bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlobUsage {
    /// Everything: blobs, half-written ones, and the directories themselves.
    pub total: u64,
    /// Blobs by digest.
    pub blobs: HashMap<Digest, u64>,
    /// Of these the ones that the directory beside has too, whose deletion frees nothing.
    pub shared: HashSet<Digest>,
    /// Of `total` the half-written ones.
    pub partials: u64,
}

impl Blobs {
    /// Measures all of it. One system call a blob.
    pub fn usage(&self) -> Result<BlobUsage> {
        let mut usage = BlobUsage { total: allocated(&self.root)?, ..BlobUsage::default() };
        for (digest, (size, names)) in self.list_by(|stat| (stat.blocks() * 512, stat.nlink()))? {
            usage.total += size;
            usage.shared.extend((names > 1).then(|| digest.clone()));
            usage.blobs.insert(digest, size);
        }
        let blobs = self.root.join("blobs");
        for dir in crate::ALGORITHMS.iter().map(|algorithm| self.dir(algorithm)).chain([blobs]) {
            usage.total += allocated(&dir)?;
        }
        usage.partials = files(&self.partial_dir())?;
        usage.total += usage.partials + files(&self.ingest_dir())?;
        for dir in [self.partial_dir(), self.ingest_dir()] {
            usage.total += allocated(&dir)?;
        }
        for name in ["oci-layout", "index.json"] {
            usage.total += allocated(&self.root.join(name))?;
        }
        Ok(usage)
    }
}

/// All files in a directory.
fn files(dir: &Path) -> Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(dir).map_err(at("read", dir))? {
        total += allocated(&entry.map_err(at("read", dir))?.path())?;
    }
    Ok(total)
}

/// Bytes on disk of one file or directory; what is gone has none.
fn allocated(path: &Path) -> Result<u64> {
    match fs::symlink_metadata(path) {
        Ok(stat) => Ok(stat.blocks() * 512),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(at("stat", path)(error)),
    }
}
