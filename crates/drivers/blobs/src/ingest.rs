//! Writing a blob whose digest is known only at its end.

use crate::error::at;
use crate::hash::Hasher;
use crate::{BlobError, Blobs, Result};
use oci::Digest;
use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use tempfile::NamedTempFile;

/// What the sender said about the content.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    /// Its digest.
    pub digest: Option<Digest>,
    /// Its size in bytes.
    pub size: Option<u64>,
}

/// A blob being written. Dropped without [`Ingest::commit`], it leaves nothing.
#[derive(Debug)]
pub struct Ingest {
    file: NamedTempFile,
    hash: Hasher,
    size: u64,
    blobs: Blobs,
}

impl Ingest {
    pub(crate) fn new(blobs: &Blobs, hash: Hasher) -> Result<Self> {
        let temporary = blobs.ingest_dir();
        let file = NamedTempFile::new_in(&temporary).map_err(at("create a file in", &temporary))?;
        Ok(Self { file, hash, size: 0, blobs: blobs.clone() })
    }

    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Of the bytes so far.
    pub fn digest(&self) -> Digest {
        self.hash.clone().finish()
    }

    /// Writes `bytes` behind what is there.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(at("write", self.file.path()))
    }

    /// Waits until the content is on disk.
    pub fn sync(&self) -> Result<()> {
        self.file.as_file().sync_data().map_err(at("sync", self.file.path()))
    }

    /// Names the content by its digest, if it is as expected. Not durable before [`crate::Blobs::sync`].
    ///
    /// # Errors
    /// [`BlobError::Size`] and [`BlobError::Mismatch`]; the content is gone then.
    pub fn commit(self, expected: Expected) -> Result<Digest> {
        if let Some(size) = expected.size.filter(|size| *size != self.size) {
            return Err(BlobError::Size { expected: size, found: self.size });
        }
        let found = self.hash.finish();
        if let Some(expected) = expected.digest.filter(|digest| *digest != found) {
            return Err(BlobError::Mismatch { expected, found });
        }
        let path = self.blobs.path(&found);
        // Over what may be there: that it is whole is not known, of this it is.
        fs::set_permissions(self.file.path(), Permissions::from_mode(0o444)).map_err(at("chmod", &path))?;
        self.file.persist(&path).map_err(|error| at("rename to", &path)(error.error))?;
        Ok(found)
    }
}

impl Write for Ingest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
