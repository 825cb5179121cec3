//! Two directories of blobs on one file system that give each other content without a copy.
//!
//! Content comes over as a hard link: a name for the same bytes, that each directory deletes when it has no more use
//! for it. So neither has to know what the other one needs, and none can delete what the other one has.

use crate::error::at;
use crate::{Blobs, Result};
use oci::Digest;
use std::fs::{self, File};
use std::io;
use std::path::Path;

impl Blobs {
    /// The same directory, which also takes content from the one at `other`, whether that exists already or not.
    #[must_use]
    pub fn beside(mut self, other: &Path) -> Self {
        self.other = Some(other.to_owned());
        self
    }

    /// Whether the blob is here, if need be by way of a link to what the other directory has. What is linked is on disk, its
    /// name is not before [`Blobs::sync`]; it is as good as it is there, so that whoever reads it has to compare the digest.
    pub fn obtain(&self, digest: &Digest) -> Result<bool> {
        if self.contains(digest) {
            return Ok(true);
        }
        let Some(other) = self.neighbour() else { return Ok(false) };
        let theirs = other.path(digest);
        match File::open(&theirs) {
            Ok(file) => file.sync_data().map_err(at("sync", &theirs))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(at("open", &theirs)(error)),
        }
        match fs::hard_link(&theirs, self.path(digest)) {
            Ok(()) => Ok(true),
            Err(error) => match error.kind() {
                io::ErrorKind::AlreadyExists => Ok(true),
                // Deleted there meanwhile; or somebody has put the two on different file systems.
                io::ErrorKind::NotFound | io::ErrorKind::CrossesDevices | io::ErrorKind::TooManyLinks => {
                    Ok(false)
                }
                _ => Err(at("link", &theirs)(error)),
            },
        }
    }

    /// Whether a blob that was not here is now, by way of a link to what the other directory has and what its name says.
    pub(crate) fn obtain_sound(&self, digest: &Digest) -> Result<bool> {
        if self.contains(digest) {
            return Ok(false);
        }
        let sound = |other: Blobs| {
            let mut blob = other.open_blob(digest).ok()?;
            io::copy(&mut blob, &mut io::sink()).ok()
        };
        if self.neighbour().and_then(sound).is_some() { self.obtain(digest) } else { Ok(false) }
    }

    fn neighbour(&self) -> Option<Self> {
        self.other.as_ref().map(|root| Self { root: root.clone(), other: None })
    }
}
