//! What can go wrong with layers.

use errors::{Class, Classified};
use std::io;
use std::path::PathBuf;

/// Results of the driver.
pub type Result<T, E = LayerError> = std::result::Result<T, E>;

/// What can go wrong with layers.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// Not the name of a layer's directory.
    #[error("'{text}' is not a layer's id")]
    BadId {
        /// What was given.
        text: String,
    },
    /// An operation of the host failed.
    #[error("{action} {path}")]
    Io {
        /// A verb: `open`, `create`, `mount`.
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
            Self::BadId { .. } => Class::Invalid,
            Self::Io { source, .. } => errors::io_class(source),
        }
    }
}
