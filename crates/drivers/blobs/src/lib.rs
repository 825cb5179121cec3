//! Content-addressed blobs in an OCI image layout, so that other tools can read the directory.
//!
//! A blob comes in through an [`Ingest`], which hashes while it writes to a temporary file and renames it to its digest, or
//! through a [`Partial`], which also survives the end of the process; a blob that is there already is a success. Nothing
//! here is durable by itself: whoever puts a digest into a record calls [`Blobs::sync`] first, once for many blobs.
//!
//! ```text
//! <root>/oci-layout            version of the layout
//! <root>/index.json            no manifests: names live in the state store
//! <root>/blobs/sha256/<hex>    content, read-only; likewise sha384 and sha512
//! <root>/ingest/               being written; emptied at start
//! <root>/partial/<name>        half-written, to be gone on with
//! ```

mod beside;
mod error;
mod hash;
mod ingest;
mod partial;
mod read;
mod usage;

pub use error::{BlobError, Result};
pub use hash::{Sha256, digest, digest_as, sha256};
pub use ingest::{Expected, Ingest};
pub use partial::{Partial, PartialInfo};
pub use read::Blob;
pub use usage::BlobUsage;

use error::at;
use hash::Hasher;
use oci::Digest;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// Every algorithm that a digest may have.
const ALGORITHMS: [&str; 3] = ["sha256", "sha384", "sha512"];
const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;
const INDEX: &str = r#"{"schemaVersion":2,"manifests":[]}"#;

/// A directory of blobs.
#[derive(Debug, Clone)]
pub struct Blobs {
    root: PathBuf,
    /// See [`Blobs::beside`].
    other: Option<PathBuf>,
}

impl Blobs {
    /// Makes the layout at `root` if need be and deletes what an earlier process left half-written.
    pub fn open(root: &Path) -> Result<Self> {
        let blobs = Self { root: root.to_owned(), other: None };
        let algorithms = ALGORITHMS.iter().map(|algorithm| blobs.dir(algorithm));
        for dir in algorithms.chain([blobs.ingest_dir(), blobs.partial_dir()]) {
            fs::create_dir_all(&dir).map_err(at("create", &dir))?;
        }
        for (name, content) in [("oci-layout", LAYOUT), ("index.json", INDEX)] {
            let path = root.join(name);
            if !path.exists() {
                fs::write(&path, content).map_err(at("write", &path))?;
            }
        }
        for entry in fs::read_dir(blobs.ingest_dir()).map_err(at("read", &blobs.ingest_dir()))? {
            let path = entry.map_err(at("read", &blobs.ingest_dir()))?.path();
            fs::remove_file(&path).map_err(at("delete", &path))?;
        }
        Ok(blobs)
    }

    /// Begins to write a blob.
    pub fn ingest(&self) -> Result<Ingest> {
        Ingest::new(self, Hasher::of(None))
    }

    /// Begins to write a blob that will have a digest of this one's algorithm.
    pub fn ingest_as(&self, digest: &Digest) -> Result<Ingest> {
        Ingest::new(self, Hasher::of(Some(digest)))
    }

    /// Stores `content` and says its digest.
    pub fn put(&self, content: &[u8]) -> Result<Digest> {
        let mut ingest = self.ingest()?;
        ingest.append(content)?;
        ingest.commit(Expected::default())
    }

    /// Whether the blob is there.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.path(digest).exists()
    }

    /// Opens a blob whose reader compares the content with the digest.
    pub fn open_blob(&self, digest: &Digest) -> Result<Blob> {
        let path = self.path(digest);
        match File::open(&path) {
            Ok(file) => Blob::new(file, digest.clone(), path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(BlobError::NotFound { digest: digest.clone() })
            }
            Err(error) => Err(at("open", &path)(error)),
        }
    }

    /// The same for a blob that is to be read from the disk, not from the cache, as far as the kernel lets go of it.
    pub fn open_blob_on_disk(&self, digest: &Digest) -> Result<Blob> {
        let blob = self.open_blob(digest)?;
        blob.forget_cache();
        Ok(blob)
    }

    /// The whole content of a blob of at most `limit` bytes, compared with its digest.
    pub fn read(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>> {
        self.open_blob(digest)?.read_all(limit)
    }

    /// Digests and sizes of all blobs.
    pub fn list(&self) -> Result<Vec<(Digest, u64)>> {
        self.list_by(fs::Metadata::len)
    }

    /// Digests of all blobs, each with what `measure` makes of its file's attributes.
    fn list_by<T>(&self, measure: impl Fn(&fs::Metadata) -> T) -> Result<Vec<(Digest, T)>> {
        let mut list = Vec::new();
        for algorithm in ALGORITHMS {
            let dir = self.dir(algorithm);
            for entry in fs::read_dir(&dir).map_err(at("read", &dir))? {
                let entry = entry.map_err(at("read", &dir))?;
                let Ok(digest) = format!("{algorithm}:{}", entry.file_name().to_string_lossy()).parse()
                else {
                    continue;
                };
                match entry.metadata() {
                    // Removed meanwhile.
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    stat => list.push((digest, measure(&stat.map_err(at("stat", &entry.path()))?))),
                }
            }
        }
        Ok(list)
    }

    /// Deletes a blob. One that does not exist is no error.
    pub fn remove(&self, digest: &Digest) -> Result<()> {
        let path = self.path(digest);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at("delete", &path)(error)),
            _ => Ok(()),
        }
    }

    /// Waits until every blob committed so far is on disk, with its name.
    pub fn sync(&self) -> Result<()> {
        let handle = File::open(&self.root).map_err(at("open", &self.root))?;
        rustix::fs::syncfs(handle).map_err(at("sync", &self.root))
    }

    /// Where a blob is, or would be.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.dir(digest.algorithm()).join(digest.hex())
    }

    fn dir(&self, algorithm: &str) -> PathBuf {
        self.root.join("blobs").join(algorithm)
    }

    fn ingest_dir(&self) -> PathBuf {
        self.root.join("ingest")
    }

    fn partial_dir(&self) -> PathBuf {
        self.root.join("partial")
    }
}

#[cfg(test)]
mod tests;
