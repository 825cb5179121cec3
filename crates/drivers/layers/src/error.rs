//! What can go wrong with layers.

use crate::archive::ArchiveError;
use errors::{Class, Classified};
use std::io;
use std::path::{Path, PathBuf};

/// Results of the driver.
pub type Result<T, E = LayerError> = std::result::Result<T, E>;

/// What can go wrong with layers.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// The stream is no tar archive, or a damaged one, or announces too much.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// An entry that may not be unpacked.
    #[error("the archive is refused: entry '{entry}' {reason}")]
    Refused {
        /// Its name, shortened and with odd bytes escaped.
        entry: String,
        /// Why.
        reason: &'static str,
    },
    /// An entry in whose place is what must stay: a directory, or something else.
    #[error("cannot overwrite {} \"{entry}\" with {}", kind_name(*directory), kind_name(!directory))]
    OtherKind {
        /// Its name, shortened and with odd bytes escaped.
        entry: String,
        /// Whether a directory is there.
        directory: bool,
    },
    /// An entry that the host could not create.
    #[error("unpack '{entry}'")]
    Unpack {
        /// Its name, shortened and with odd bytes escaped.
        entry: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The layer is larger than is accepted.
    #[error("the archive is refused: it has more than {limit} {what}")]
    Limit {
        /// `bytes`, `entries`.
        what: &'static str,
        /// How many are accepted.
        limit: u64,
    },
    /// To go on would leave others of the file system too little.
    #[error("{what} has to stay free: no more is unpacked")]
    Reserve {
        /// How much of what.
        what: &'static str,
        /// As of a full disk.
        #[source]
        source: io::Error,
    },
    /// Compressed with something that is not supported.
    #[error("the archive is compressed with {format}, which is not supported: decompress it first")]
    Compression {
        /// `xz`, `bzip2`, …
        format: &'static str,
    },
    /// A file that a layer cannot hold: its name would mean that another is gone.
    #[error(
        "{path} cannot be put into a layer: names that begin with '.wh.' mean there that something is deleted"
    )]
    Unpackable {
        /// Which, shortened and with odd bytes escaped.
        path: String,
    },
    /// Whatever takes an archive takes no more.
    #[error("write the archive")]
    Output(#[source] io::Error),
    /// The thread that writes files is gone.
    #[error("unpacking ended unexpectedly")]
    Crashed,
    /// Not the name of a layer's directory.
    #[error("'{text}' is not a layer's id")]
    BadId {
        /// What was given.
        text: String,
    },
    /// What a snapshot says about its ids makes no sense.
    #[error("the root file system '{key}' has '{text}' for its map of ids")]
    BadIds {
        /// The snapshot.
        key: String,
        /// What stands there.
        text: String,
    },
    /// The key of a snapshot is not a file name.
    #[error("'{key}' cannot be the key of a root file system")]
    BadKey {
        /// What was given.
        key: String,
    },
    /// A snapshot of this key exists already.
    #[error("the root file system of container {key} already exists")]
    Exists {
        /// Which.
        key: String,
    },
    /// There is no snapshot of this key.
    #[error("container {key} has no root file system")]
    NotFound {
        /// Which.
        key: String,
    },
    /// Overlay does not stack so many.
    #[error("{count} layers are more than the {limit} that can be stacked")]
    TooManyLayers {
        /// How many.
        count: usize,
        /// How many are accepted.
        limit: usize,
    },
    /// The kernel refuses to mount the stack.
    #[error("mount the layers of {path}")]
    Mount {
        /// The snapshot or the directory of layers.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A root file system that can't be written to lacks the place for a mount.
    #[error("the root file system has no {path} to mount upon")]
    NoMountPoint {
        /// Where.
        path: PathBuf,
    },
    /// A container's process has another root file system than the one with this writable directory.
    #[error("the container's process does not have {upper} for its root file system")]
    ForeignRoot {
        /// Which was expected.
        upper: PathBuf,
    },
    /// A file inside a root file system that is not a regular one, or larger than its reader bears.
    #[error("read {path} in the root file system: {reason}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why not.
        reason: &'static str,
    },
    /// Moving a directory away failed.
    #[error(transparent)]
    Durable(#[from] durable::FileError),
    /// An operation of the host failed.
    #[error("{action} {path}")]
    Io {
        /// A verb: `open`, `create`, `sync`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Classified for LayerError {
    fn class(&self) -> Class {
        match self {
            Self::Archive(error) => error.class(),
            Self::Refused { .. }
            | Self::OtherKind { .. }
            | Self::Limit { .. }
            | Self::BadId { .. }
            | Self::BadKey { .. }
            | Self::TooManyLayers { .. }
            | Self::Unpackable { .. }
            | Self::Unreadable { .. } => Class::Invalid,
            Self::Compression { .. } | Self::ForeignRoot { .. } => Class::Unsupported,
            Self::Exists { .. } => Class::Conflict,
            Self::NotFound { .. } | Self::NoMountPoint { .. } => Class::NotFound,
            Self::Crashed | Self::BadIds { .. } => Class::Internal,
            Self::Durable(error) => error.class(),
            Self::Output(source)
            | Self::Reserve { source, .. }
            | Self::Unpack { source, .. }
            | Self::Mount { source, .. }
            | Self::Io { source, .. } => host_class(source),
        }
    }
}

fn kind_name(directory: bool) -> &'static str {
    if directory { "directory" } else { "non-directory" }
}

/// An errno of the host is never the caller's mistake, except that a full disk may be emptied.
fn host_class(error: &io::Error) -> Class {
    match errors::io_class(error) {
        class @ (Class::Denied | Class::Unavailable | Class::Unsupported) => class,
        _ => Class::Internal,
    }
}

/// Puts an action and a path on a failure of the host.
pub(crate) fn at<E: Into<io::Error>>(action: &'static str, path: &Path) -> impl FnOnce(E) -> LayerError {
    move |source| LayerError::Io { action, path: path.to_owned(), source: source.into() }
}

/// A name out of an archive as it may be shown: strangers choose its bytes and its length.
pub(crate) fn shown(name: &[u8]) -> String {
    const LONGEST: usize = 200;
    let end = name.len().min(LONGEST);
    let mut text: String = String::from_utf8_lossy(&name[..end]).chars().flat_map(printable).collect();
    if name.len() > LONGEST {
        text.push('…');
    }
    text
}

fn printable(c: char) -> Box<dyn Iterator<Item = char>> {
    if c.is_control() { Box::new(c.escape_default()) } else { Box::new(std::iter::once(c)) }
}
