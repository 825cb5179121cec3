//! What can go wrong with images. Where docker's users know a sentence, it is docker's.

use errors::{Class, Classified};
use oci::{Digest, Platform};
use std::io;
use std::sync::Arc;

/// The service's results.
pub type Result<T, E = ImageError> = std::result::Result<T, E>;

/// What can go wrong with images.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A step that a test made fail.
    #[error(transparent)]
    Injected(#[from] undo::Injected),
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
    /// A removal that others stand in the way of.
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
        "conflict: unable to remove repository reference \"{name}\" (must force) - container {container} is using \
         its referenced image {id}"
    )]
    NameInUse {
        /// As the user typed it.
        name: String,
        /// The container, 12 digits.
        container: String,
        /// The image, 12 digits.
        id: String,
    },
    /// The directory to mount an image on can't be made.
    #[error("make the directory {} to mount an image on", path.display())]
    MountPlace {
        /// Which.
        path: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Somebody is in a mount that is to end.
    #[error(
        "image {id} stays mounted at {}: a process has files open or its working directory there; end it, or use --force",
        path.display()
    )]
    MountInUse {
        /// The first 12 digits.
        id: String,
        /// Where it is mounted.
        path: std::path::PathBuf,
    },
    /// A tag was asked for, but a digest is part of the name.
    #[error("refusing to create a tag with a digest reference")]
    TagByDigest,
    /// A repository that is called as digests begin.
    #[error("refusing to create an ambiguous tag using digest algorithm as name")]
    AmbiguousTag,
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
    /// A stream that is neither docker's format nor an OCI layout.
    #[error(
        "the archive holds no image: neither manifest.json (docker save) nor index.json (OCI layout) is in it. \
         If it is a root file system, import it"
    )]
    NoManifest,
    /// An index of which nothing suits.
    #[error("the archive holds no image for {wanted}{}", only_for(.available))]
    NoPlatform {
        /// What was wanted.
        wanted: Platform,
        /// What there is.
        available: Vec<Platform>,
    },
    /// A document that is not what it should be.
    #[error("{name} is not a valid document")]
    BadDocument {
        /// Which.
        name: String,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
    /// A file that others in the archive refer to.
    #[error("the archive is incomplete: {name} is missing")]
    MissingFile {
        /// Its name.
        name: String,
    },
    /// A layer that could not be unpacked.
    #[error("unpack layer {name}")]
    BadLayer {
        /// Its name in the archive.
        name: String,
        /// Why.
        #[source]
        source: Arc<layers::LayerError>,
    },
    /// A manifest that lists another number of layers than the config.
    #[error("invalid manifest, layers length mismatch: expected {expected}, got {found}")]
    LayerCount {
        /// In the config.
        expected: usize,
        /// In the manifest.
        found: usize,
    },
    /// A layer that is not the one that the config names.
    #[error("invalid diffID for layer {position}: expected {expected}, got {found}")]
    DiffId {
        /// Counted from 0, the lowest.
        position: usize,
        /// In the config.
        expected: Digest,
        /// What was unpacked.
        found: Digest,
    },
    /// A file whose name is the digest of something else.
    #[error("the archive is damaged: {name} has digest {found}")]
    BlobDigest {
        /// Its name.
        name: String,
        /// What it is.
        found: Digest,
    },
    /// An image for another operating system.
    #[error("cannot load {os} image on linux")]
    ForeignOs {
        /// Which.
        os: String,
    },
    /// A document that is too large, or too many of them.
    #[error("the archive is refused: {what} exceeds {limit}")]
    Limit {
        /// What.
        what: &'static str,
        /// How much is accepted.
        limit: u64,
    },
    /// An image that is listed in an odd way.
    #[error("the archive is refused: {reason}")]
    Layout {
        /// What is odd.
        reason: &'static str,
    },
    /// A name in the archive that is none.
    #[error("invalid tag \"{tag}\"")]
    BadTag {
        /// What was given.
        tag: String,
        /// Why.
        #[source]
        source: oci::ReferenceError,
    },
    /// An instruction that may not change an image.
    #[error("{instruction} is not a valid change command")]
    NotAChange {
        /// Its first word.
        instruction: String,
    },
    /// An instruction that is malformed.
    #[error("{instruction} {reason}")]
    BadChange {
        /// Its first word.
        instruction: &'static str,
        /// What is wrong.
        reason: &'static str,
    },
    /// A layer of an image is not in the store.
    #[error("image {image} is damaged: its layer {layer} is missing. Load or pull it again")]
    MissingLayer {
        /// The image.
        image: Digest,
        /// The layer.
        layer: Digest,
    },
    /// A record that cannot be read.
    #[error("record {key} is damaged")]
    BadRecord {
        /// Its key.
        key: String,
    },
    /// An index of a registry of which nothing suits.
    #[error("no matching manifest for {wanted} in the manifest list entries of {name}{}", only_for(.available))]
    NoMatchingManifest {
        /// What was asked for.
        name: String,
        /// What was wanted.
        wanted: Platform,
        /// What there is.
        available: Vec<Platform>,
    },
    /// An image that is here for another platform only.
    #[error(
        "image with reference {name} was found but its platform ({found}) does not match the specified platform ({wanted})"
    )]
    WrongPlatform {
        /// What was asked for.
        name: String,
        /// What it is for.
        found: Box<Platform>,
        /// What was wanted.
        wanted: Box<Platform>,
    },
    /// A layer that can neither be saved nor pushed.
    #[error(
        "image {image} cannot leave this store: what its layer {layer} was unpacked from is not kept. Pull or load it again"
    )]
    MissingBlob {
        /// The image.
        image: Digest,
        /// The layer.
        layer: Digest,
    },
    /// A push of what is not here.
    #[error("An image does not exist locally with the tag: {name}")]
    NothingToPush {
        /// The repository.
        name: String,
    },
    /// A push of a tag that is not here, of a repository that is.
    #[error("tag does not exist: {name}")]
    NoSuchTag {
        /// As the user typed it.
        name: String,
    },
    /// A blob that no registry is known to have.
    #[error("no registry is known to have blob {blob}")]
    NoOrigin {
        /// The blob.
        blob: Digest,
    },
    /// A layer that was unpacked, but not kept.
    #[error("store a layer's blob")]
    Packing {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A manifest in docker's first format, which no registry has taken for years.
    #[error(
        "Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. Suggest the \
         author of {name} to upgrade the image to the OCI Format or Docker Image manifest v2, schema 2"
    )]
    Schema1 {
        /// What was asked for.
        name: String,
    },
    /// A manifest that is not one of an image.
    #[error("{name} is not an image that can run: its {what} has the media type {media_type}")]
    NotAnImage {
        /// What was asked for.
        name: String,
        /// `manifest`, `config` or `layer`.
        what: &'static str,
        /// Its type.
        media_type: String,
    },
    /// A document that names content by a digest that is none.
    #[error(transparent)]
    BadDigest {
        /// Why.
        source: oci::DigestError,
    },
    /// A registry did not give what was asked for.
    #[error(transparent)]
    Registry(#[from] registry::RegistryError),
    /// What another operation that was waited for came to.
    #[error(transparent)]
    Shared(Arc<ImageError>),
    /// The operation is not there yet.
    #[error("{what} is not supported by this version")]
    Unsupported {
        /// Which.
        what: &'static str,
    },
    /// The engine is stopping.
    #[error("the engine is shutting down")]
    ShuttingDown,
    /// The body of a request ended before its end.
    #[error("read the request's body")]
    Body(#[source] io::Error),
    /// The host gives no further thread.
    #[error("start a thread")]
    Thread {
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Writing an archive failed.
    #[error("write the archive")]
    Write(#[source] io::Error),
    /// The driver of layers failed.
    #[error(transparent)]
    Layers(#[from] layers::LayerError),
    /// The driver of blobs failed.
    #[error(transparent)]
    Blobs(#[from] blobs::BlobError),
    /// The store of records failed.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// Neither a reference nor an id.
    #[error(transparent)]
    Reference(#[from] oci::ReferenceError),
}

fn only_for(platforms: &[Platform]) -> String {
    let list: Vec<String> = platforms.iter().map(Platform::to_string).collect();
    if list.is_empty() { String::new() } else { format!(", only for {}", list.join(", ")) }
}

impl Classified for ImageError {
    fn class(&self) -> Class {
        match self {
            Self::NotFound { .. } | Self::NoSnapshot { .. } | Self::NoOrigin { .. } => Class::NotFound,
            Self::InUse { .. }
            | Self::NameInUse { .. }
            | Self::MountInUse { .. }
            | Self::SnapshotExists { .. } => Class::Conflict,
            Self::MissingLayer { .. } | Self::MissingBlob { .. } | Self::BadRecord { .. } => Class::Internal,
            Self::ForeignOs { .. } | Self::Unsupported { .. } => Class::Unsupported,
            Self::Injected(error) => error.class(),
            Self::ShuttingDown | Self::Thread { .. } => Class::Unavailable,
            Self::Packing { source } | Self::MountPlace { source, .. } => errors::io_class(source),
            Self::Body(error) | Self::Write(error) => errors::io_class(error),
            Self::BadLayer { source, .. } => source.class(),
            Self::Layers(error) => error.class(),
            Self::Blobs(error) => error.class(),
            Self::Store(error) => error.class(),
            Self::NoMatchingManifest { .. }
            | Self::WrongPlatform { .. }
            | Self::NothingToPush { .. }
            | Self::NoSuchTag { .. } => Class::NotFound,
            Self::Registry(error) => error.class(),
            Self::Shared(error) => error.class(),
            Self::NotAnImage { .. }
            | Self::Schema1 { .. }
            | Self::BadDigest { .. }
            | Self::Ambiguous { .. }
            | Self::TagByDigest
            | Self::AmbiguousTag
            | Self::Pattern { .. }
            | Self::NoManifest
            | Self::NoPlatform { .. }
            | Self::BadDocument { .. }
            | Self::MissingFile { .. }
            | Self::LayerCount { .. }
            | Self::DiffId { .. }
            | Self::BlobDigest { .. }
            | Self::Limit { .. }
            | Self::Layout { .. }
            | Self::BadTag { .. }
            | Self::NotAChange { .. }
            | Self::BadChange { .. }
            | Self::Reference(_) => Class::Invalid,
        }
    }
}
