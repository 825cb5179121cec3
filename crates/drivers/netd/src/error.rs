//! What can go wrong between the daemon and netd.

use errors::{Class, Classified, io_class};
use std::io;

/// Results of what netd is asked.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong between the daemon and netd.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A record can't be written or removed.
    #[error(transparent)]
    Record(#[from] durable::FileError),
    /// A record or request has no JSON.
    #[error("write what netd is told")]
    Encode(#[source] serde_json::Error),
    /// A request is longer than a message may be.
    #[error("{bytes} bytes are too many for one request to netd")]
    TooLong {
        /// How many they are.
        bytes: usize,
    },
    /// The socket can't be used.
    #[error("{action} netd")]
    Talk {
        /// `connect to`, `write to`, `read from`.
        action: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// netd can't be started.
    #[error("start netd")]
    Start(#[source] io::Error),
    /// netd ended before it was ready.
    #[error("netd ended at once: see {}", log.display())]
    Ended {
        /// Where it complained.
        log: std::path::PathBuf,
    },
    /// netd was started, and nobody listens.
    #[error("netd was started and does not listen")]
    NotThere,
    /// netd does not do it.
    #[error("netd refuses: {reason}")]
    Refused {
        /// Its words.
        reason: String,
    },
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Self::Record(error) => error.class(),
            Self::Talk { source, .. } | Self::Start(source) => io_class(source),
            Self::Ended { .. } | Self::NotThere => Class::Unavailable,
            Self::Encode(_) | Self::TooLong { .. } | Self::Refused { .. } => Class::Internal,
        }
    }
}
