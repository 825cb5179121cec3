//! What can go wrong with networks.

use errors::{Class, Classified};

/// The service's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong with networks.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No network has this name or id.
    #[error("network {network} not found")]
    NotFound {
        /// As given.
        network: String,
    },
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Self::NotFound { .. } => Class::NotFound,
        }
    }
}
