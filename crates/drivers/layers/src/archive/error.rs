//! What can be wrong with a tar stream.

use std::io;

/// What can be wrong with a tar stream.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The stream ends in the middle of an entry.
    #[error("the archive is truncated")]
    Truncated,
    /// A block that should be a header isn't one.
    #[error("not a tar archive, or a damaged one: {reason} in the header at byte {offset}")]
    Header {
        /// What is wrong.
        reason: &'static str,
        /// Where in the uncompressed stream.
        offset: u64,
    },
    /// An extension of a header that makes no sense.
    #[error("damaged tar archive: {reason} before byte {offset}")]
    Extension {
        /// What is wrong.
        reason: &'static str,
        /// Where in the uncompressed stream.
        offset: u64,
    },
    /// Something that is larger than any honest archive has it.
    #[error("the archive is refused: {what} exceeds {limit}")]
    Limit {
        /// What.
        what: &'static str,
        /// How much is accepted.
        limit: u64,
    },
    /// Reading the stream failed.
    #[error("read the archive")]
    Read(#[source] io::Error),
}

impl From<io::Error> for ArchiveError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::UnexpectedEof { Self::Truncated } else { Self::Read(error) }
    }
}

impl errors::Classified for ArchiveError {
    fn class(&self) -> errors::Class {
        match self {
            // What a decompressor says is about the bytes that it was given.
            Self::Read(error) if error.raw_os_error().is_some() => errors::io_class(error),
            _ => errors::Class::Invalid,
        }
    }
}
