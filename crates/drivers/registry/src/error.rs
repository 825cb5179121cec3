//! What can go wrong with a registry. Where docker's users know a sentence, it is docker's.

use crate::Broken;
use errors::{Class, Classified};
use oci::Digest;
use std::path::PathBuf;
use std::time::Duration;

/// Results of the driver.
pub type Result<T, E = RegistryError> = std::result::Result<T, E>;

/// What can go wrong with a registry.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The manifest does not exist.
    #[error("manifest for {name} not found: {message}")]
    ManifestUnknown {
        /// As people write it.
        name: String,
        /// What the registry says.
        message: String,
    },
    /// The blob does not exist.
    #[error("blob {digest} of {name} does not exist in the registry: {message}")]
    BlobUnknown {
        /// The repository, as people write it.
        name: String,
        /// Which.
        digest: Digest,
        /// What the registry says.
        message: String,
    },
    /// The repository does not exist.
    #[error("repository {name} not found: {message}")]
    NameUnknown {
        /// As people write it.
        name: String,
        /// What the registry says.
        message: String,
    },
    /// The registry does not let this user do this with the repository.
    #[error(
        "{action} access denied for {name}, repository does not exist or may require 'docker login': {message}"
    )]
    Denied {
        /// `pull` or `push`.
        action: &'static str,
        /// The repository, as people write it.
        name: String,
        /// What the registry says.
        message: String,
    },
    /// The registry wants a name and a password, and there are none.
    #[error("no basic auth credentials for {host}")]
    NoCredentials {
        /// Host and port.
        host: String,
    },
    /// The registry asks for a certificate of the client, there is none, and so it ended the connection.
    #[error(
        "the registry asks for a certificate of the client: put it into certs.d/{host}/client.cert, and its key into client.key there"
    )]
    NoCertificate {
        /// Host and port.
        host: String,
        /// What came of it.
        #[source]
        source: Box<RegistryError>,
    },
    /// Name and password, or token, are wrong.
    #[error("{host}: unauthorized: {message}")]
    Unauthorized {
        /// Host and port.
        host: String,
        /// What the registry says.
        message: String,
    },
    /// Too many requests.
    #[error("{host}: toomanyrequests: {message}{}", wait_text(.wait))]
    RateLimited {
        /// Host and port.
        host: String,
        /// What the registry says.
        message: String,
        /// How long to wait, if the registry says it.
        wait: Option<Duration>,
    },
    /// Any other answer that is not a success.
    #[error("{method} {url}: {status}: {message}")]
    Refused {
        /// HTTP method.
        method: String,
        /// What was asked for.
        url: String,
        /// HTTP status.
        status: u16,
        /// What the registry says.
        message: String,
    },
    /// No connection, or one that broke.
    #[error("{} \"{url}\"", capital(method))]
    Unreachable {
        /// HTTP method.
        method: String,
        /// What was asked for.
        url: String,
        /// Why.
        #[source]
        source: Broken,
    },
    /// A registry that does not take what is sent to it.
    #[error("PUT {url}: nothing was received for {} s", silence.as_secs())]
    Stalled {
        /// Where to.
        url: String,
        /// How long nothing happened.
        silence: Duration,
    },
    /// The connection of a long transfer broke too often.
    #[error("blob {digest} broke off at byte {position} for the {attempts}th time")]
    BrokenOff {
        /// Which.
        digest: Digest,
        /// How far it came.
        position: u64,
        /// How often it was tried.
        attempts: u32,
        /// Why, the last time.
        #[source]
        source: Box<RegistryError>,
    },
    /// Content that is not what its digest says.
    #[error("{name}: the registry sent content with digest {found}, expected {expected}")]
    Mismatch {
        /// What was asked for.
        name: String,
        /// Its digest.
        expected: Digest,
        /// What came.
        found: Digest,
    },
    /// Content that is longer or shorter than announced.
    #[error("blob {digest} has {found} bytes{}, expected {expected}", if found > expected { " or more" } else { "" })]
    Size {
        /// Which.
        digest: Digest,
        /// What the manifest says.
        expected: u64,
        /// What came.
        found: u64,
    },
    /// A document that is larger than any honest one.
    #[error("{what} exceeds {limit} bytes")]
    TooLarge {
        /// What.
        what: String,
        /// How large it may be.
        limit: u64,
    },
    /// An answer that is none by the specification.
    #[error("{url}: {reason}")]
    Protocol {
        /// What was asked for.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// A name that is no registry's.
    #[error("invalid registry host '{host}'")]
    BadHost {
        /// What was given.
        host: String,
    },
    /// The configuration forbids this registry.
    #[error("registry {host} is blocked in {}", path.display())]
    Blocked {
        /// Which.
        host: String,
        /// By which file.
        path: PathBuf,
    },
    /// A configuration file that cannot be read.
    #[error("read {}", path.display())]
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A configuration file that is wrong.
    #[error("{}: {reason}", path.display())]
    BadConfig {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The HTTP client cannot be set up: a certificate that is none, for example.
    #[error("prepare connections to {host}")]
    Setup {
        /// Host and port.
        host: String,
        /// Why.
        #[source]
        source: Box<reqwest::Error>,
    },
}

fn wait_text(wait: &Option<Duration>) -> String {
    wait.map(|wait| format!(" (try again in {} s)", wait.as_secs())).unwrap_or_default()
}

/// Host and port of an address.
fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}

/// `Get`, as docker's users know it.
fn capital(method: &str) -> String {
    method.chars().enumerate().map(|(at, c)| if at == 0 { c } else { c.to_ascii_lowercase() }).collect()
}

impl RegistryError {
    /// Which host failed, and how, without addresses that only who asked it has any use for, and that may hold signatures.
    pub fn in_short(&self) -> String {
        match self {
            Self::Unreachable { url, source, .. } => format!("{}: {source}", host_of(url)),
            Self::Refused { url, status, message, .. } => format!("{}: {status}: {message}", host_of(url)),
            Self::Stalled { url, .. } => format!("{}: no answer in time", host_of(url)),
            Self::Protocol { url, reason } => format!("{}: {reason}", host_of(url)),
            Self::BrokenOff { source, .. } => source.in_short(),
            _ => errors::chain(self),
        }
    }

    /// Whether the same request may succeed at once or soon, unchanged.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => !source.error().is_builder() && !source.error().is_redirect(),
            Self::RateLimited { wait, .. } => wait.is_none_or(|wait| wait <= Duration::from_secs(60)),
            Self::Stalled { .. } => true,
            Self::Refused { status, .. } => matches!(status, 408 | 425 | 500 | 502..=504),
            _ => false,
        }
    }

    /// Whether a request may succeed soon where it has just failed. Where nobody listens that is not expected.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::Unreachable { source, .. } => self.is_transient() && !source.error().is_connect(),
            _ => self.is_transient(),
        }
    }

    /// Whether there was no answer at all.
    pub(crate) fn is_no_answer(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }

    /// Whether another place may have what this one does not give.
    pub(crate) fn tries_next(&self) -> bool {
        !matches!(
            self,
            Self::Blocked { .. } | Self::BadHost { .. } | Self::BadConfig { .. } | Self::TooLarge { .. }
        )
    }
}

impl Classified for RegistryError {
    fn class(&self) -> Class {
        match self {
            Self::ManifestUnknown { .. }
            | Self::BlobUnknown { .. }
            | Self::NameUnknown { .. }
            // Registries answer so too for what does not exist; docker's clients know it as 404.
            | Self::Denied { .. } => Class::NotFound,
            Self::NoCredentials { .. } | Self::NoCertificate { .. } | Self::Unauthorized { .. } | Self::Blocked { .. } => Class::Denied,
            Self::RateLimited { .. }
            | Self::Unreachable { .. }
            | Self::Stalled { .. }
            | Self::BrokenOff { .. } => Class::Unavailable,
            Self::BadHost { .. } => Class::Invalid,
            Self::Refused { status: 502..=504, .. } => Class::Unavailable,
            Self::Unreadable { source, .. } => errors::io_class(source),
            Self::Refused { .. }
            | Self::Mismatch { .. }
            | Self::Size { .. }
            | Self::TooLarge { .. }
            | Self::Protocol { .. }
            | Self::BadConfig { .. }
            | Self::Setup { .. } => Class::Internal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_errors_name_the_host_and_no_address() {
        let url = "https://a:b@cdn.example:444/x/y?signature=z".to_owned();
        let refused = RegistryError::Refused { method: "GET".into(), url, status: 500, message: "no".into() };
        assert_eq!(refused.in_short(), "cdn.example:444: 500: no");
        let digest = Digest::sha256([0; 32]);
        let broken = RegistryError::BrokenOff { digest, position: 1, attempts: 3, source: refused.into() };
        assert_eq!(broken.in_short(), "cdn.example:444: 500: no");
    }
}
