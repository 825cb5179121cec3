//! What can go wrong between a command and the daemon, each with its own sentence.

use crate::tls::TlsError;
use errors::{Class, Classified};
use std::io;
use std::path::PathBuf;

/// The result of a request.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a request has no answer, or a refusal for one.
///
/// The beginnings of the texts are docker's own where scripts look for them.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The unix socket is not there.
    #[error(
        "Cannot connect to the Docker daemon at {host}. Is the docker daemon running? \
         (The socket {path} does not exist.{hint})"
    )]
    NoSocket {
        /// The endpoint as docker prints it.
        host: String,
        /// The missing file.
        path: PathBuf,
        /// How to start one, in a sentence that begins with a blank, or nothing.
        hint: String,
    },
    /// The socket's file is there, but nobody listens.
    #[error(
        "Cannot connect to the Docker daemon at {host}. Is the docker daemon running? \
         (Nothing listens on {path}: a daemon left the socket behind when it stopped.{hint})"
    )]
    StaleSocket {
        /// The endpoint as docker prints it.
        host: String,
        /// The socket's file.
        path: PathBuf,
        /// How to start one, in a sentence that begins with a blank, or nothing.
        hint: String,
    },
    /// The file permissions of the socket say no.
    #[error(
        "permission denied while trying to connect to the Docker daemon socket at {host}: \
         {path} may not be opened by this user. Run the command as root or as a member of the socket's group"
    )]
    Denied {
        /// The endpoint as docker prints it.
        host: String,
        /// The socket's file.
        path: PathBuf,
    },
    /// A host name that neither is an address nor stands in /etc/hosts.
    #[error(
        "Cannot connect to the Docker daemon at {host}. \
         {name:?} is not in /etc/hosts and names are not asked of DNS: give an address or add the name there"
    )]
    UnknownHost {
        /// The endpoint as docker prints it.
        host: String,
        /// The name without an address.
        name: String,
    },
    /// TCP did not get through, or any other failure to open the connection.
    #[error("Cannot connect to the Docker daemon at {host}. Is the docker daemon running? ({cause})")]
    Connect {
        /// The endpoint as docker prints it.
        host: String,
        /// What the kernel said.
        cause: io::Error,
    },
    /// The daemon wants a certificate of this client, or another one.
    #[error(
        "the daemon at {host} refused this client's certificate ({alert}): give --tlscert and --tlskey of a pair \
         that its authority has signed"
    )]
    ClientCertificate {
        /// The endpoint as docker prints it.
        host: String,
        /// The alert it sent.
        alert: String,
    },
    /// TLS was asked for, but the other side speaks plain text.
    #[error(
        "the daemon at {host} does not speak TLS there: leave out --tls and --tlsverify, or use another port"
    )]
    PlainServer {
        /// The endpoint as docker prints it.
        host: String,
    },
    /// A plain connection was dropped without an answer.
    #[error(
        "the daemon at {host} closed the connection without an answer; if it expects TLS, use --tlsverify with \
         --tlscacert, --tlscert and --tlskey"
    )]
    ClosedAtOnce {
        /// The endpoint as docker prints it.
        host: String,
    },
    /// Nobody answered in time.
    #[error("Cannot connect to the Docker daemon at {host}: no answer within {seconds} s")]
    ConnectTimeout {
        /// The endpoint as docker prints it.
        host: String,
        /// How long was waited.
        seconds: u64,
    },
    /// The files for TLS are unusable, or its handshake failed.
    #[error("TLS with the daemon at {host} failed")]
    Tls {
        /// The endpoint as docker prints it.
        host: String,
        /// Which part, and why.
        #[source]
        cause: TlsError,
    },
    /// The other side of a plain connection expects TLS.
    #[error(
        "the daemon at {host} expects TLS: use --tlsverify with --tlscacert, --tlscert and --tlskey \
         (or DOCKER_TLS_VERIFY and DOCKER_CERT_PATH)"
    )]
    ServerWantsTls {
        /// The endpoint as docker prints it.
        host: String,
    },
    /// The daemon could not be started, by the hook that revives it.
    #[error("{0}")]
    Revive(String),
    /// The daemon answered with an error status.
    #[error("Error response from daemon: {message}")]
    Api {
        /// The HTTP status.
        status: u16,
        /// The daemon's message.
        message: String,
    },
    /// The connection broke in the middle, or the peer does not speak HTTP.
    #[error("error during connect: {method} {path}")]
    Http {
        /// The request's method.
        method: String,
        /// The request's path.
        path: String,
        /// What hyper said.
        #[source]
        cause: hyper::Error,
    },
    /// The request itself cannot be formed, from a bad path or header.
    #[error("cannot form the request {path}")]
    Form {
        /// The request's path.
        path: String,
        /// What is wrong with it.
        #[source]
        cause: hyper::http::Error,
    },
    /// The answer is not the JSON that was expected.
    #[error("the daemon's answer to {path} is not understood")]
    Decode {
        /// The request's path.
        path: String,
        /// Where the text departs from what was expected.
        #[source]
        cause: serde_json::Error,
    },
    /// Reading a streamed answer failed.
    #[error("reading the daemon's stream")]
    Stream(#[source] io::Error),
    /// The daemon answered a request for a raw connection with an ordinary response.
    #[error("unable to upgrade to tcp, received {status}")]
    NotUpgraded {
        /// The HTTP status.
        status: u16,
    },
}

impl Error {
    /// Whether the daemon said that the thing does not exist.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::Api { status: 404, .. })
    }

    /// Whether no daemon runs there, so that starting one may help.
    pub fn is_not_running(&self) -> bool {
        matches!(self, Self::NoSocket { .. } | Self::StaleSocket { .. })
    }
}

impl Classified for Error {
    fn class(&self) -> Class {
        match self {
            Self::Api { status, .. } => match status {
                400 => Class::Invalid,
                401 | 403 => Class::Denied,
                404 => Class::NotFound,
                409 => Class::Conflict,
                501 => Class::Unsupported,
                503 => Class::Unavailable,
                _ => Class::Internal,
            },
            Self::Denied { .. } => Class::Denied,
            Self::Form { .. } => Class::Invalid,
            Self::Decode { .. } | Self::NotUpgraded { .. } => Class::Internal,
            _ => Class::Unavailable,
        }
    }
}
