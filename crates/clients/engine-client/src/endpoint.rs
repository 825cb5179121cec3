//! Where a daemon listens: the `-H` / `DOCKER_HOST` syntax.

use crate::tls::TlsFiles;
use std::fmt;
use std::path::PathBuf;

/// The address of a daemon and how it is protected.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The way there.
    pub transport: Transport,
    /// TLS material; only meaningful over TCP.
    pub tls: Option<TlsFiles>,
}

/// The way to a daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// A unix socket.
    Unix(PathBuf),
    /// A host, by name or address, and a port.
    Tcp {
        /// Host name, IPv4 address, or IPv6 address without brackets.
        host: String,
        /// Port number.
        port: u16,
    },
}

/// Why a host string is not an endpoint.
#[derive(Debug, thiserror::Error)]
pub enum ParseEndpointError {
    /// Not of the form `scheme://address`.
    #[error("invalid bind address format: {0}")]
    Format(String),
    /// `ssh://`, `npipe://`, `fd://`: known to docker, not to this client.
    #[error("protocol \"{scheme}\" of host {host} is not supported: use unix:// or tcp://")]
    Scheme {
        /// The scheme that was given.
        scheme: String,
        /// The whole string.
        host: String,
    },
}

impl errors::Classified for ParseEndpointError {
    fn class(&self) -> errors::Class {
        match self {
            Self::Format(_) => errors::Class::Invalid,
            Self::Scheme { .. } => errors::Class::Unsupported,
        }
    }
}

impl Endpoint {
    /// Reads `unix:///path`, `tcp://host:port`, `http(s)://host:port` or a bare `host:port`.
    ///
    /// The port defaults to 2375, with TLS to 2376, as docker's does.
    pub fn parse(text: &str, tls: Option<TlsFiles>) -> Result<Self, ParseEndpointError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").unwrap_or(("tcp", text));
        let transport = match scheme {
            "unix" if rest.is_empty() => Transport::Unix(PathBuf::from("/var/run/docker.sock")),
            "unix" => Transport::Unix(PathBuf::from(rest)),
            "tcp" | "http" | "https" => {
                let port = if tls.is_some() { 2376 } else { 2375 };
                tcp(rest, port).ok_or_else(|| ParseEndpointError::Format(text.to_owned()))?
            }
            "ssh" | "npipe" | "fd" => {
                return Err(ParseEndpointError::Scheme { scheme: scheme.to_owned(), host: text.to_owned() });
            }
            _ => return Err(ParseEndpointError::Format(text.to_owned())),
        };
        Ok(Self { transport, tls })
    }
}

/// `host`, `host:port`, `[v6]`, `[v6]:port`; an empty host is the loopback address.
fn tcp(rest: &str, default_port: u16) -> Option<Transport> {
    let rest = rest.trim_end_matches('/');
    let (host, port) = match rest.strip_prefix('[') {
        Some(rest) => {
            let (host, tail) = rest.split_once(']')?;
            (host, tail.strip_prefix(':').unwrap_or(tail))
        }
        None => rest.split_once(':').unwrap_or((rest, "")),
    };
    let port = if port.is_empty() { default_port } else { port.parse().ok()? };
    let host = if host.is_empty() { "127.0.0.1" } else { host };
    Some(Transport::Tcp { host: host.to_owned(), port })
}

/// As docker prints it: `unix:///path` or `tcp://host:port`.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.transport {
            Transport::Unix(path) => write!(f, "unix://{}", path.display()),
            Transport::Tcp { host, port } if host.contains(':') => write!(f, "tcp://[{host}]:{port}"),
            Transport::Tcp { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Endpoint::parse(text, None).map_or_else(|e| e.to_string(), |e| e.to_string())
    }

    #[test]
    fn host_strings_as_docker_reads_them() {
        assert_eq!(shown("unix:///run/x.sock"), "unix:///run/x.sock");
        assert_eq!(shown("unix://"), "unix:///var/run/docker.sock");
        assert_eq!(shown("tcp://h"), "tcp://h:2375");
        assert_eq!(shown("tcp://[::1]:99"), "tcp://[::1]:99");
        assert_eq!(shown("1.2.3.4:5"), "tcp://1.2.3.4:5");
        assert_eq!(shown(":5"), "tcp://127.0.0.1:5");
        assert_eq!(shown("gopher://x"), "invalid bind address format: gopher://x");
        assert!(shown("ssh://me@h").contains("not supported"));
        assert_eq!(shown("tcp://h:x"), "invalid bind address format: tcp://h:x");
    }
}
