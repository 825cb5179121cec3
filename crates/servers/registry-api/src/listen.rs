//! Where clients reach the registry: TCP, plain or with TLS.

use errors::{Class, Classified};
use server_tls::{ReloadingConfig, TlsError, TlsFiles};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Connections at a time, where nobody says how many: each holds one or two of the 1024 or more files that a process may have open.
pub const DEFAULT_CONNECTIONS: usize = 1024;

/// A bound listener.
#[derive(Clone)]
pub struct Listener {
    pub(crate) socket: Arc<TcpListener>,
    pub(crate) tls: Option<Arc<ReloadingConfig>>,
    /// One for each connection that may still come.
    pub(crate) room: Arc<Semaphore>,
}

/// Why an address can't be listened on.
#[derive(Debug, thiserror::Error)]
#[error("listen on {address}")]
pub struct ListenError {
    /// As asked for.
    pub address: SocketAddr,
    /// Why not.
    #[source]
    pub source: io::Error,
}

impl Classified for ListenError {
    fn class(&self) -> Class {
        errors::io_class(&self.source)
    }
}

/// The configuration of a TLS listener, for [`bind`].
///
/// # Errors
/// Names the file that can't be used.
pub fn server_config(files: TlsFiles) -> Result<Arc<ReloadingConfig>, TlsError> {
    ReloadingConfig::load(files, &["h2", "http/1.1"])
}

/// Binds an address; with TLS if there is a configuration, see [`crate::server_config`].
///
/// # Errors
/// [`ListenError`].
pub async fn bind(address: SocketAddr, tls: Option<Arc<ReloadingConfig>>) -> Result<Listener, ListenError> {
    let socket = TcpListener::bind(address).await.map_err(|source| ListenError { address, source })?;
    let room = Arc::new(Semaphore::new(DEFAULT_CONNECTIONS));
    Ok(Listener { socket: Arc::new(socket), tls, room })
}

impl Listener {
    /// With so many connections at a time instead of [`DEFAULT_CONNECTIONS`]. Further ones wait in the kernel until one of these ends:
    /// a client then sees a slow registry, where an error would make it give up.
    #[must_use]
    pub fn at_most(mut self, connections: usize) -> Self {
        self.room = Arc::new(Semaphore::new(connections.clamp(1, Semaphore::MAX_PERMITS)));
        self
    }

    /// The address that it is bound to, with the port that the system chose.
    pub fn address(&self) -> Option<SocketAddr> {
        self.socket.local_addr().ok()
    }

    /// Whether with TLS.
    pub fn is_secure(&self) -> bool {
        self.tls.is_some()
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener({:?}, tls: {})", self.address(), self.is_secure())
    }
}
