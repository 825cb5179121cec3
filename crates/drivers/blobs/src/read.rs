//! Reading a blob and noticing if it is not what its name says.

use crate::error::at;
use crate::hash::Hasher;
use crate::{BlobError, Result};
use oci::Digest;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

/// An open blob. Its reader fails at the end with [`io::ErrorKind::InvalidData`] if the content has another digest.
#[derive(Debug)]
pub struct Blob {
    file: File,
    size: u64,
    hash: Option<Hasher>,
    digest: Digest,
    path: PathBuf,
}

impl Blob {
    pub(crate) fn new(file: File, digest: Digest, path: PathBuf) -> Result<Self> {
        let size = file.metadata().map_err(at("stat", &path))?.len();
        Ok(Self { file, size, hash: Some(Hasher::of(Some(&digest))), digest, path })
    }

    /// Size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn forget_cache(&self) {
        // Advice: a page that is dirty or in use stays.
        let _ = rustix::fs::fadvise(&self.file, 0, None, rustix::fs::Advice::DontNeed);
    }

    pub(crate) fn read_all(mut self, limit: u64) -> Result<Vec<u8>> {
        if self.size > limit {
            return Err(BlobError::TooLarge { digest: self.digest, size: self.size, limit });
        }
        let mut content = Vec::new();
        self.file.read_to_end(&mut content).map_err(at("read", &self.path))?;
        let mut hash = Hasher::of(Some(&self.digest));
        hash.update(&content);
        let found = hash.finish();
        if found == self.digest {
            Ok(content)
        } else {
            Err(BlobError::Mismatch { expected: self.digest, found })
        }
    }
}

impl Read for Blob {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        if count > 0 || buffer.is_empty() {
            if let Some(hash) = &mut self.hash {
                hash.update(&buffer[..count]);
            }
            return Ok(count);
        }
        match self.hash.take().map(Hasher::finish) {
            Some(found) if found != self.digest => {
                let error = BlobError::Mismatch { expected: self.digest.clone(), found };
                Err(io::Error::new(io::ErrorKind::InvalidData, error))
            }
            _ => Ok(0),
        }
    }
}
