//! What can go wrong where names are answered.

use errors::{Class, Classified, io_class};
use std::io;
use std::net::SocketAddr;

/// The driver's results.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong where names are answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nobody can be answered at an address.
    #[error("listen for names on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A container's namespace can't be entered.
    #[error("enter the network namespace of container {container}")]
    Namespace {
        /// The container's id.
        container: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The resolver itself can't be set up.
    #[error("{action} for the resolver")]
    Start {
        /// What was done: `make an epoll descriptor`, `start a thread`.
        action: &'static str,
        /// Why.
        #[source]
        source: io::Error,
    },
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Self::Listen { source, .. } | Self::Namespace { source, .. } | Self::Start { source, .. } => {
                io_class(source)
            }
        }
    }
}
