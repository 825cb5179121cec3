//! Listeners: unix sockets, TCP, TCP with TLS. Bound here, or handed over already bound (socket activation).

use crate::http::hijack::Stream;
use errors::{Class, Classified};
use server_tls::{ReloadingConfig, TlsError, TlsFiles};
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio_rustls::TlsAcceptor;

/// A client gets this long to shake hands.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A bound listener.
#[derive(Clone)]
pub enum Listener {
    /// A unix socket, with its path.
    Unix(Arc<UnixListener>, PathBuf),
    /// TCP, plain.
    Tcp(Arc<TcpListener>),
    /// TCP with TLS.
    Tls(Arc<TcpListener>, Arc<ReloadingConfig>),
}

/// Why an address can't be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// A running daemon answers there.
    #[error("{} is in use by a running daemon", path.display())]
    Busy {
        /// Of the socket.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("{step} {}", path.display())]
    Unix {
        /// What was being done.
        step: &'static str,
        /// Of the socket.
        path: PathBuf,
        #[source]
        #[allow(missing_docs, reason = "the system's reason")]
        cause: io::Error,
    },
    /// What was handed over is no socket to listen on.
    #[error("use the inherited socket")]
    Inherited {
        #[source]
        #[allow(missing_docs, reason = "the system's reason")]
        cause: io::Error,
    },
    /// The certificates can't be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The network refused.
    #[error("listen on {address}")]
    Tcp {
        /// As asked for.
        address: SocketAddr,
        #[source]
        #[allow(missing_docs, reason = "the system's reason")]
        cause: io::Error,
    },
}

impl Classified for ListenError {
    fn class(&self) -> Class {
        match self {
            Self::Busy { .. } => Class::Conflict,
            Self::Tls(error) => error.class(),
            Self::Unix { cause, .. } | Self::Inherited { cause } | Self::Tcp { cause, .. } => {
                errors::io_class(cause)
            }
        }
    }
}

/// Binds a unix socket that its owner and `group` may use (mode 0660). A socket left by a dead daemon is replaced.
///
/// # Errors
/// [`ListenError::Busy`] where a daemon answers, [`ListenError::Unix`].
pub fn unix(path: &Path, group: Option<u32>) -> Result<Listener, ListenError> {
    let failed = |step| move |cause| ListenError::Unix { step, path: path.to_owned(), cause };
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(ListenError::Busy { path: path.to_owned() });
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(failed("remove the old socket")(error));
        }
        _ => {}
    }
    // Nobody can connect before `listen`, but mode and owner must be right from then on: bind aside, then rename.
    let aside = path.with_extension(format!("new.{}", std::process::id()));
    let _ = std::fs::remove_file(&aside);
    let listener = UnixListener::bind(&aside).map_err(failed("listen on"))?;
    let prepared = std::fs::set_permissions(&aside, PermissionsExt::from_mode(0o660))
        .map_err(failed("set the mode of"))
        .and_then(|()| chown(&aside, None, group).map_err(failed("set the group of")))
        .and_then(|()| std::fs::rename(&aside, path).map_err(failed("listen on")));
    if let Err(error) = prepared {
        let _ = std::fs::remove_file(&aside);
        return Err(error);
    }
    Ok(Listener::Unix(Arc::new(listener), path.to_owned()))
}

/// Binds a TCP address, plain.
///
/// # Errors
/// [`ListenError::Tcp`].
pub async fn tcp(address: SocketAddr) -> Result<Listener, ListenError> {
    let listener = TcpListener::bind(address).await.map_err(|cause| ListenError::Tcp { address, cause })?;
    Ok(Listener::Tcp(Arc::new(listener)))
}

/// Binds a TCP address with TLS. Without an authority of clients everybody who can reach the port is root on this host.
///
/// # Errors
/// [`ListenError::Tls`], [`ListenError::Tcp`].
pub async fn tls(address: SocketAddr, files: TlsFiles) -> Result<Listener, ListenError> {
    let config = ReloadingConfig::load(files, &["http/1.1"])?;
    let listener = TcpListener::bind(address).await.map_err(|cause| ListenError::Tcp { address, cause })?;
    Ok(Listener::Tls(Arc::new(listener), config))
}

/// A socket that another process bound and listens on (socket activation). TCP comes without TLS.
///
/// # Errors
/// [`ListenError::Inherited`].
pub fn inherited(socket: OwnedFd) -> Result<Listener, ListenError> {
    let failed = |cause| ListenError::Inherited { cause };
    let domain = rustix::net::sockopt::socket_domain(&socket).map_err(|errno| failed(errno.into()))?;
    if domain == rustix::net::AddressFamily::UNIX {
        let listener = std::os::unix::net::UnixListener::from(socket);
        listener.set_nonblocking(true).map_err(failed)?;
        let path = listener.local_addr().map_err(failed)?.as_pathname().map(Path::to_owned);
        Ok(Listener::Unix(
            Arc::new(UnixListener::from_std(listener).map_err(failed)?),
            path.unwrap_or_default(),
        ))
    } else {
        let listener = std::net::TcpListener::from(socket);
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(Listener::Tcp(Arc::new(TcpListener::from_std(listener).map_err(failed)?)))
    }
}

impl Listener {
    /// The TCP address it is bound to; of a unix socket: none.
    pub fn tcp_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Unix(..) => None,
            Self::Tcp(listener) | Self::Tls(listener, _) => listener.local_addr().ok(),
        }
    }

    /// The next client. Cancel-safe.
    pub(crate) async fn accept(&self) -> io::Result<Pending> {
        Ok(match self {
            Self::Unix(listener, _) => Pending::Ready(Box::new(listener.accept().await?.0)),
            Self::Tcp(listener) => Pending::Ready(Box::new(prepared(listener.accept().await?.0)?)),
            Self::Tls(listener, config) => {
                Pending::Tls(prepared(listener.accept().await?.0)?, TlsAcceptor::from(config.current()))
            }
        })
    }
}

/// Keystrokes must not wait for each other.
fn prepared(stream: TcpStream) -> io::Result<TcpStream> {
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A client that may still have to shake hands, which its own task waits for.
pub(crate) enum Pending {
    Ready(Box<dyn Stream>),
    Tls(TcpStream, TlsAcceptor),
}

impl Pending {
    /// The byte stream that carries HTTP.
    pub(crate) async fn establish(self) -> io::Result<Box<dyn Stream>> {
        match self {
            Self::Ready(stream) => Ok(stream),
            Self::Tls(stream, acceptor) => {
                let accepted = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await;
                Ok(Box::new(accepted.map_err(|_| io::ErrorKind::TimedOut)??))
            }
        }
    }
}

impl fmt::Display for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(_, path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(_) | Self::Tls(..) => match self.tcp_address() {
                Some(address) => write!(f, "tcp://{address}"),
                None => f.write_str("tcp://?"),
            },
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Listener({self})")
    }
}

#[cfg(test)]
mod tests;
