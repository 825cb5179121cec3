//! What can go wrong with blobs.

use errors::{Class, Classified};
use oci::Digest;
use std::io;
use std::path::{Path, PathBuf};

/// Results of the driver.
pub type Result<T, E = BlobError> = std::result::Result<T, E>;

/// What can go wrong with blobs.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// There is no such blob.
    #[error("blob {digest} does not exist")]
    NotFound {
        /// Which.
        digest: Digest,
    },
    /// The content hashes to something else than what was asked for.
    #[error("content has digest {found}, expected {expected}")]
    Mismatch {
        /// What was asked for.
        expected: Digest,
        /// What the content is.
        found: Digest,
    },
    /// The content is shorter or longer than announced.
    #[error("content has {found} bytes, expected {expected}")]
    Size {
        /// What was announced.
        expected: u64,
        /// What came; of a longer one, what had come when it was refused.
        found: u64,
    },
    /// The blob is larger than its reader bears.
    #[error("blob {digest} has {size} bytes, more than the {limit} that are accepted here")]
    TooLarge {
        /// Which.
        digest: Digest,
        /// How large.
        size: u64,
        /// How large it may be.
        limit: u64,
    },
    /// A half-written blob that somebody else is writing.
    #[error("{name} is being written by somebody else")]
    Busy {
        /// What its writer calls it.
        name: String,
    },
    /// A name for a half-written blob that could be anything but a plain file name.
    #[error("'{name}' cannot be the name of a half-written blob")]
    BadName {
        /// What was given.
        name: String,
    },
    /// An operation of the host failed.
    #[error("{action} {path}")]
    Io {
        /// A verb.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Classified for BlobError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound { .. } => Class::NotFound,
            Self::Mismatch { .. } | Self::Size { .. } | Self::TooLarge { .. } | Self::BadName { .. } => {
                Class::Invalid
            }
            Self::Busy { .. } => Class::Conflict,
            Self::Io { source, .. } => errors::io_class(source),
        }
    }
}

pub(crate) fn at<E: Into<io::Error>>(action: &'static str, path: &Path) -> impl FnOnce(E) -> BlobError {
    move |source| BlobError::Io { action, path: path.to_owned(), source: source.into() }
}
