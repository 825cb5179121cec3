//! Content of a directory: hashed, and put aside for what is beside it.

use super::Checkup;
use crate::{Result, StorageError};
use blobs::{BlobError, Blobs};
use oci::Digest;
use std::io;
use std::path::Path;

/// Where damaged content is kept, for whoever wants to look at it.
const ASIDE: &str = "quarantine";

/// What content is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// What its digest says, of so many bytes.
    Sound(u64),
    Damaged(String),
    Missing,
}

impl Checkup {
    pub(super) async fn verify(&self, digest: &Digest) -> Result<Verdict> {
        let (blobs, digest) = (self.directory.blobs().clone(), digest.clone());
        Ok(offload::blocking(move || verify(&blobs, &digest)).await?)
    }

    /// Whether the content is there now, and sound.
    pub(super) async fn mend(&self, digest: &Digest) -> Result<bool> {
        let (directory, digest) = (self.directory.clone(), digest.clone());
        Ok(offload::blocking(move || mend(directory.root(), directory.blobs(), &digest)).await?)
    }
}

fn verify(blobs: &Blobs, digest: &Digest) -> Result<Verdict, StorageError> {
    let mut blob = match blobs.open_blob(digest) {
        Ok(blob) => blob,
        Err(BlobError::NotFound { .. }) => return Ok(Verdict::Missing),
        Err(error) => return Err(error.into()),
    };
    match io::copy(&mut blob, &mut io::sink()) {
        Ok(size) => Ok(Verdict::Sound(size)),
        // What the disk cannot read is as good as other content.
        Err(error) => Ok(Verdict::Damaged(match error.get_ref() {
            Some(inner) => inner.to_string(),
            None => error.to_string(),
        })),
    }
}

fn mend(root: &Path, blobs: &Blobs, digest: &Digest) -> Result<bool, StorageError> {
    if let Verdict::Sound(_) = verify(blobs, digest)? {
        // Somebody has pushed it again meanwhile.
        return Ok(true);
    }
    let path = blobs.path(digest);
    let aside = root.join(ASIDE).join(digest.as_str().replacen(':', "-", 1));
    let at = |action| {
        let key = digest.to_string();
        move |source| StorageError::Link { action, key, source }
    };
    durable::create_dir_all(&root.join(ASIDE), 0o700)?;
    match std::fs::rename(&path, &aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        moved => moved.map_err(at("put aside"))?,
    }
    blobs.obtain(digest)?;
    match verify(blobs, digest)? {
        Verdict::Sound(_) => {
            blobs.sync()?;
            Ok(true)
        }
        Verdict::Missing => Ok(false),
        // The engine's is no better.
        Verdict::Damaged(_) => {
            blobs.remove(digest)?;
            Ok(false)
        }
    }
}
