//! What can go wrong with repositories.

use crate::{RepositoryName, Target};
use blobs::BlobError;
use durable::FileError;
use errors::{Class, Classified};
use objects::ObjectError;
use oci::{Digest, DigestError};
use registry::RegistryError;
use std::error::Error as StdError;
use std::io;
use std::sync::Arc;

/// Results of operations on repositories.
pub type Result<T, E = RepositoryError> = std::result::Result<T, E>;

/// What can go wrong with repositories: the cases that the distribution specification has a code for, and the storage.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what the messages say")]
pub enum RepositoryError {
    /// Not in the grammar of names.
    #[error("'{name}' is no name of a repository")]
    NameInvalid { name: String },
    /// Not in the grammar of tags.
    #[error("'{tag}' is no tag")]
    TagInvalid { tag: String },
    /// No such repository.
    #[error("there is no repository {name}")]
    NameUnknown { name: RepositoryName },
    /// Not in this repository.
    #[error("there is no blob {digest} in {name}")]
    BlobUnknown { name: RepositoryName, digest: Digest },
    /// Not in this repository.
    #[error("there is no manifest {target} in {name}")]
    ManifestUnknown { name: RepositoryName, target: Target },
    /// The document is none that can be stored.
    #[error("the manifest {reason}")]
    ManifestInvalid { reason: String },
    /// The document is no JSON of the right shape.
    #[error("the manifest is malformed")]
    ManifestMalformed {
        #[source]
        source: serde_json::Error,
    },
    /// Longer than [`crate::MAX_MANIFEST`].
    #[error("the manifest is larger than {limit} bytes")]
    ManifestTooLarge { limit: usize },
    /// The manifest names content that the repository lacks.
    #[error("the manifest names content that {name} does not have: {}", list(missing))]
    ReferencesUnknown { name: RepositoryName, missing: Vec<Digest> },
    /// No such upload, or not in this repository.
    #[error("there is no upload {id}")]
    UploadUnknown { id: String },
    /// Another request is writing.
    #[error("another request is writing the upload {id}")]
    UploadBusy { id: String },
    /// A piece that does not begin where the last one ended.
    #[error("the piece begins at byte {found} of the upload, {expected} is next")]
    UploadRange { expected: u64, found: u64 },
    /// The client went away, or sent too few bytes.
    #[error("the client sent {found} bytes, announced were {expected}")]
    UploadSize { expected: u64, found: u64 },
    /// No digest.
    #[error("bad digest")]
    Digest {
        #[source]
        source: DigestError,
    },
    /// The content has another digest than was announced.
    #[error("the content has digest {found}, announced was {expected}")]
    DigestMismatch { expected: Digest, found: Digest },
    /// No random numbers.
    #[error("draw a random id")]
    Random {
        #[source]
        source: getrandom::Error,
    },
    /// The registry that this one stands for does not give what was asked for.
    #[error("ask the upstream")]
    Upstream {
        #[from]
        source: RegistryError,
    },
    /// The storage has no file to read from while it is written.
    #[error("this storage can't be a mirror's")]
    NoMirror,
    /// What several requests waited for.
    #[error(transparent)]
    Shared(Arc<RepositoryError>),
    /// The storage failed.
    #[error("use the storage")]
    Storage {
        #[from]
        source: StorageError,
    },
}

/// What can go wrong where the bytes are.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what the messages say")]
pub enum StorageError {
    /// With a blob.
    #[error(transparent)]
    Blob(#[from] BlobError),
    /// With a file.
    #[error(transparent)]
    File(#[from] FileError),
    /// With an object in a bucket.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// With a link.
    #[error("{action} {key}")]
    Link {
        action: &'static str,
        key: String,
        #[source]
        source: io::Error,
    },
    /// An upstream sent something else, or not all of it.
    #[error("the content {digest} did not come as it should")]
    CutShort { digest: Digest },
    /// A record is not what this program writes.
    #[error("{key} is damaged")]
    Damaged { key: String },
}

impl StorageError {
    /// Whether the disk has no room.
    pub fn is_full(&self) -> bool {
        let full = |error: &io::Error| {
            matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        };
        let mut next: Option<&(dyn StdError + 'static)> = Some(self);
        while let Some(error) = next {
            if error.downcast_ref::<io::Error>().is_some_and(full) {
                return true;
            }
            next = error.source();
        }
        false
    }
}

impl Classified for StorageError {
    fn class(&self) -> Class {
        match self {
            Self::Blob(error) => error.class(),
            Self::File(error) => error.class(),
            Self::Object(error) => error.class(),
            Self::Link { source, .. } => errors::io_class(source),
            Self::CutShort { .. } => Class::Unavailable,
            Self::Damaged { .. } => Class::Internal,
        }
    }
}

impl RepositoryError {
    /// Whether what is stored is not what it should be, while the storage itself works.
    pub(crate) fn is_damage(&self) -> bool {
        let damage = |source: &StorageError| {
            matches!(
                source,
                StorageError::CutShort { .. }
                    | StorageError::Damaged { .. }
                    | StorageError::Blob(
                        BlobError::Mismatch { .. } | BlobError::Size { .. } | BlobError::NotFound { .. }
                    )
            )
        };
        matches!(self, Self::Storage { source } if damage(source))
            || matches!(
                self,
                Self::ManifestUnknown { .. }
                    | Self::ManifestInvalid { .. }
                    | Self::ManifestMalformed { .. }
                    | Self::ManifestTooLarge { .. }
                    | Self::DigestMismatch { .. }
            )
    }
}

impl Classified for RepositoryError {
    fn class(&self) -> Class {
        match self {
            Self::NameUnknown { .. }
            | Self::BlobUnknown { .. }
            | Self::ManifestUnknown { .. }
            | Self::UploadUnknown { .. } => Class::NotFound,
            Self::UploadBusy { .. } => Class::Conflict,
            Self::Random { .. } | Self::NoMirror => Class::Internal,
            Self::Upstream { source } => source.class(),
            Self::Shared(error) => error.class(),
            // What a storage can't find is a defect here: those who ask for it get an answer of their own.
            Self::Storage { source } if source.class() == Class::Unavailable => Class::Unavailable,
            Self::Storage { .. } => Class::Internal,
            _ => Class::Invalid,
        }
    }
}

fn list(digests: &[Digest]) -> String {
    digests.iter().map(Digest::as_str).collect::<Vec<_>>().join(", ")
}
