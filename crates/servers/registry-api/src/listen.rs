//! Where clients reach the registry: TCP, plain or with TLS.

use errors::{Class, Classified};
use server_tls::{ReloadingConfig, TlsError, TlsFiles};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;

/// A bound listener.
#[derive(Clone)]
pub struct Listener {
    pub(crate) socket: Arc<TcpListener>,
    pub(crate) tls: Option<Arc<ReloadingConfig>>,
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
    Ok(Listener { socket: Arc::new(socket), tls })
}

impl Listener {
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
