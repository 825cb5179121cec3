//! A blob that arrives in pieces, over several requests or several lives of the process.
//!
//! Its bytes are in a file of a name that its writer chose: the digest that a pull expects, the id of an upload. Whoever
//! opens it again goes on behind the last byte that reached the file; what is there is hashed anew, so that no state of a
//! hash has to be kept. After a power cut the file may have lost its end, or hold zeros where bytes should be: the
//! digest at the end tells.

use crate::error::at;
use crate::hash::Hasher;
use crate::{BlobError, Blobs, Expected, Result};
use oci::Digest;
use rustix::fs::FlockOperation;
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// After so many bytes the last ones begin to go to the disk.
const WRITE_BACK: u64 = 4 << 20;
/// How much is read at a time when content is hashed again.
const PIECE: usize = 256 << 10;

/// A half-written blob as it lies on the disk.
#[derive(Debug, Clone)]
pub struct PartialInfo {
    /// What its writer calls it.
    pub name: String,
    /// Bytes so far.
    pub size: u64,
    /// When something was last written.
    pub modified: SystemTime,
}

/// A blob being written that survives being dropped: see [`Blobs::resume`]. One holder at a time.
#[derive(Debug)]
pub struct Partial {
    file: File,
    hash: Hasher,
    size: u64,
    /// How much of it has begun to go to the disk.
    written_back: u64,
    path: PathBuf,
    blobs: Blobs,
}

impl Blobs {
    /// Begins the half-written blob `name` or goes on with it, after reading what is there. `expected` says which hash to
    /// compute on the way; without it, or if it was another one, [`Partial::commit`] reads the content once more.
    ///
    /// # Errors
    /// [`BlobError::Busy`] while somebody else holds it, [`BlobError::BadName`].
    pub fn resume(&self, name: &str, expected: Option<&Digest>) -> Result<Partial> {
        self.resume_as(name, expected.map_or("sha256", Digest::algorithm))
    }

    /// As [`Blobs::resume`], where no more than the algorithm of the digest is known.
    ///
    /// # Errors
    /// As there.
    pub fn resume_as(&self, name: &str, algorithm: &str) -> Result<Partial> {
        let path = self.partial_path(name)?;
        let file = loop {
            if let Some(file) = lock(name, &path)? {
                break file;
            }
        };
        let (hash, blobs) = (Hasher::named(algorithm), self.clone());
        let mut partial = Partial { file, hash, size: 0, written_back: 0, path, blobs };
        partial.size = read_into(&mut partial.hash, &partial.path)?;
        partial.written_back = partial.size;
        Ok(partial)
    }

    /// All half-written blobs.
    pub fn partials(&self) -> Result<Vec<PartialInfo>> {
        let dir = self.partial_dir();
        let mut list = Vec::new();
        for entry in fs::read_dir(&dir).map_err(at("read", &dir))? {
            let entry = entry.map_err(at("read", &dir))?;
            let stat = match entry.metadata() {
                // Committed or discarded meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => other.map_err(at("stat", &entry.path()))?,
            };
            let modified = stat.modified().map_err(at("stat", &entry.path()))?;
            list.push(PartialInfo {
                name: entry.file_name().to_string_lossy().into_owned(),
                size: stat.len(),
                modified,
            });
        }
        Ok(list)
    }

    /// Deletes the half-written blob `name`, unless somebody holds it. One that does not exist is no error.
    ///
    /// # Errors
    /// [`BlobError::Busy`], [`BlobError::BadName`].
    pub fn discard_partial(&self, name: &str) -> Result<()> {
        if self.partial_path(name)?.exists() { self.resume(name, None)?.discard() } else { Ok(()) }
    }

    fn partial_path(&self, name: &str) -> Result<PathBuf> {
        let sound = !name.is_empty()
            && name.len() <= 200
            && !name.starts_with('.')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if sound {
            Ok(self.partial_dir().join(name))
        } else {
            Err(BlobError::BadName { name: name.to_owned() })
        }
    }
}

impl Partial {
    /// Bytes so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What is there, to be read from its beginning.
    pub fn content(&self) -> Result<File> {
        File::open(&self.path).map_err(at("open", &self.path))
    }

    /// Writes `bytes` behind what is there.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.write_all(bytes).map_err(at("write", &self.path))
    }

    /// Waits until the content so far is on disk.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_data().map_err(at("sync", &self.path))
    }

    /// Throws away what is there and begins again.
    pub fn restart(&mut self, expected: Option<&Digest>) -> Result<()> {
        self.file.set_len(0).map_err(at("truncate", &self.path))?;
        (self.hash, self.size, self.written_back) = (Hasher::of(expected), 0, 0);
        Ok(())
    }

    /// Names the content by its digest, if it is as expected; else deletes it. Not durable before [`Blobs::sync`].
    ///
    /// # Errors
    /// [`BlobError::Size`] and [`BlobError::Mismatch`].
    pub fn commit(self, expected: &Expected) -> Result<Digest> {
        let found = self.check(expected);
        let Ok(found) = found else {
            self.discard()?;
            return found;
        };
        let path = self.blobs.path(&found);
        // Content that the other directory has need not be on disk twice. What is here already is written over: that it is whole is
        // not known, of this it is.
        if self.blobs.obtain_sound(&found)? {
            self.discard()?;
            return Ok(found);
        }
        self.file.set_permissions(Permissions::from_mode(0o444)).map_err(at("chmod", &self.path))?;
        fs::rename(&self.path, &path).map_err(at("rename to", &path))?;
        Ok(found)
    }

    /// Itself, if it is as expected; else deletes it. Its name is still the writer's.
    ///
    /// # Errors
    /// [`BlobError::Size`] and [`BlobError::Mismatch`].
    pub fn complete(self, expected: &Expected) -> Result<Self> {
        match self.check(expected) {
            Ok(_) => Ok(self),
            Err(error) => {
                self.discard()?;
                Err(error)
            }
        }
    }

    fn check(&self, expected: &Expected) -> Result<Digest> {
        if let Some(size) = expected.size.filter(|size| *size != self.size) {
            return Err(BlobError::Size { expected: size, found: self.size });
        }
        let mut hash = self.hash.clone();
        if let Some(digest) = expected.digest.as_ref().filter(|digest| !hash.yields(digest)) {
            hash = Hasher::of(Some(digest));
            read_into(&mut hash, &self.path)?;
        }
        let found = hash.finish();
        match &expected.digest {
            Some(expected) if *expected != found => {
                Err(BlobError::Mismatch { expected: expected.clone(), found })
            }
            _ => Ok(found),
        }
    }

    /// Deletes it.
    pub fn discard(self) -> Result<()> {
        fs::remove_file(&self.path).map_err(at("delete", &self.path))
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.size += count as u64;
        if self.size - self.written_back >= WRITE_BACK {
            // The sync before the blob gets its name then has little to wait for. Only that one may fail.
            let _ = sys::writeback::begin(&self.file, self.written_back, self.size - self.written_back);
            self.written_back = self.size;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The file, locked. None: its last holder has given it another name between our look and our lock.
fn lock(name: &str, path: &Path) -> Result<Option<File>> {
    let file =
        OpenOptions::new().read(true).append(true).create(true).open(path).map_err(at("open", path))?;
    match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Err(Errno::WOULDBLOCK) => return Err(BlobError::Busy { name: name.to_owned() }),
        other => other.map_err(at("lock", path))?,
    }
    let inode = |stat: fs::Metadata| (stat.dev(), stat.ino());
    let ours = inode(file.metadata().map_err(at("stat", path))?);
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => Ok((inode(other.map_err(at("stat", path))?) == ours).then_some(file)),
    }
}

/// Hashes all of the file and says how long it is.
fn read_into(hash: &mut Hasher, path: &Path) -> Result<u64> {
    let mut file = File::open(path).map_err(at("open", path))?;
    let (mut buffer, mut size) = (vec![0; PIECE], 0);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(size),
            Ok(count) => {
                hash.update(&buffer[..count]);
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(at("read", path)(error)),
        }
    }
}
