//! What can go wrong with images. Where docker's users know a sentence, it is docker's.

use errors::{Class, Classified};

/// The service's results.
pub type Result<T, E = ImageError> = std::result::Result<T, E>;

/// What can go wrong with images.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// No image bears the name, or has an id that begins so.
    #[error("No such image: {name}")]
    NotFound {
        /// As the user typed it, `:latest` included.
        name: String,
    },
    /// More than one id begins with the text.
    #[error("multiple IDs found with provided prefix: {prefix}")]
    Ambiguous {
        /// What was given.
        prefix: String,
    },
    /// A removal that others stand in the way of; docker's sentence.
    #[error("conflict: unable to delete {id} ({}) - {reason}", if *hard { "cannot be forced" } else { "must be forced" })]
    InUse {
        /// The first 12 digits.
        id: String,
        /// Whether not even force helps.
        hard: bool,
        /// What is in the way.
        reason: String,
    },
    /// The last name of an image that a container uses.
    #[error(
        "conflict: unable to remove repository reference \"{name}\" (must force) - container {container} is using its \
         referenced image {id}"
    )]
    NameInUse {
        /// As the user typed it.
        name: String,
        /// The container, 12 digits.
        container: String,
        /// The image, 12 digits.
        id: String,
    },
    /// A tag was asked for, but a digest is part of the name.
    #[error("refusing to create a tag with a digest reference")]
    TagByDigest,
    /// A pattern of a `reference` filter that is none.
    #[error("invalid filter 'reference': bad pattern '{pattern}'")]
    Pattern {
        /// What was given.
        pattern: String,
    },
    /// A container's writable directories already exist.
    #[error("the root file system of container {key} already exists")]
    SnapshotExists {
        /// The container.
        key: String,
    },
    /// There are no writable directories of this container.
    #[error("container {key} has no root file system")]
    NoSnapshot {
        /// The container.
        key: String,
    },
    /// The driver of layers failed.
    #[error(transparent)]
    Layers(#[from] layers::LayerError),
    /// The store of records failed.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// Neither a reference nor an id.
    #[error(transparent)]
    Reference(#[from] oci::ReferenceError),
}

impl Classified for ImageError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound { .. } => Class::NotFound,
            Self::InUse { .. } | Self::NameInUse { .. } | Self::SnapshotExists { .. } => Class::Conflict,
            Self::NoSnapshot { .. } => Class::NotFound,
            Self::TagByDigest | Self::Pattern { .. } | Self::Ambiguous { .. } => Class::Invalid,
            Self::Layers(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::Reference(error) => error.class(),
        }
    }
}
