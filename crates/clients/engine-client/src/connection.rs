//! Opening a connection to the daemon, and telling apart the ways in which that fails.

use crate::endpoint::{Endpoint, Transport};
use crate::error::{Error, Result};
use crate::names;
use crate::tls::{self, TlsError, TlsFiles};
use rustls::pki_types::ServerName;
use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// How long a TCP connection and its TLS handshake may take.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);

/// A connection, whatever it runs over.
#[derive(Debug)]
pub(crate) enum Connection {
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Connects to `endpoint`; `hint` tells how a missing daemon is started.
pub(crate) async fn open(endpoint: &Endpoint, hint: &str) -> Result<Connection> {
    match &endpoint.transport {
        Transport::Unix(path) => unix(endpoint, path, hint).await,
        Transport::Tcp { host, port } => {
            let limited = tokio::time::timeout(CONNECT_LIMIT, tcp(endpoint, host, *port));
            limited.await.map_err(|_| Error::ConnectTimeout {
                host: endpoint.to_string(),
                seconds: CONNECT_LIMIT.as_secs(),
            })?
        }
    }
}

async fn unix(endpoint: &Endpoint, path: &Path, hint: &str) -> Result<Connection> {
    UnixStream::connect(path).await.map(Connection::Unix).map_err(|cause| {
        let host = endpoint.to_string();
        let (path, hint) = (path.to_owned(), hint.to_owned());
        match cause.kind() {
            io::ErrorKind::NotFound => Error::NoSocket { host, path, hint },
            io::ErrorKind::ConnectionRefused => Error::StaleSocket { host, path, hint },
            io::ErrorKind::PermissionDenied => Error::Denied { host, path },
            _ => Error::Connect { host, cause },
        }
    })
}

async fn tcp(endpoint: &Endpoint, host: &str, port: u16) -> Result<Connection> {
    let addresses = names::lookup(host);
    if addresses.is_empty() {
        return Err(Error::UnknownHost { host: endpoint.to_string(), name: host.to_owned() });
    }
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect((address, port)).await {
            Ok(stream) => {
                stream.set_nodelay(true).ok();
                return match &endpoint.tls {
                    None => Ok(Connection::Tcp(stream)),
                    Some(files) => {
                        secure(stream, host, files).await.map_err(|cause| tls_failure(endpoint, cause))
                    }
                };
            }
            Err(cause) => last = cause,
        }
    }
    Err(Error::Connect { host: endpoint.to_string(), cause: last })
}

/// A peer without TLS shows by what it answers to the first record.
fn tls_failure(endpoint: &Endpoint, cause: TlsError) -> Error {
    let host = endpoint.to_string();
    match &cause {
        TlsError::Handshake(error) if error.to_string().contains("InvalidContentType") => {
            Error::PlainServer { host }
        }
        _ => Error::Tls { host, cause },
    }
}

async fn secure(stream: TcpStream, host: &str, files: &TlsFiles) -> Result<Connection, TlsError> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| TlsError::Name(host.to_owned()))?;
    let connector = TlsConnector::from(Arc::new(tls::config(files)?));
    let stream = connector.connect(name, stream).await.map_err(TlsError::Handshake)?;
    Ok(Connection::Tls(Box::new(stream)))
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tcp(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_write(cx, data),
            Self::Tcp(stream) => Pin::new(stream).poll_write(cx, data),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, data),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tcp(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Unix(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tcp(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
