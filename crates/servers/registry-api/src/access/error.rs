//! What can go wrong with files of users and keys, and with tokens of our own.

use errors::{Class, Classified};
use std::io;
use std::path::PathBuf;

/// What can go wrong where it is decided who may do what.
#[derive(Debug, thiserror::Error)]
#[allow(missing_docs, reason = "the fields are what the messages say")]
pub enum AccessError {
    /// A file can't be read or written.
    #[error("{action} {}", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// A crash-safe write failed.
    #[error(transparent)]
    Durable(#[from] durable::FileError),
    /// A password of which a hash would hold only the beginning.
    #[error("the password is longer than 72 bytes, all that bcrypt looks at: choose a shorter one")]
    LongPassword,
    /// A file without any usable key.
    #[error("no usable public key in {}", path.display())]
    NoKey { path: PathBuf },
    /// A key file that is none.
    #[error("use the key in {}", path.display())]
    BadKey {
        path: PathBuf,
        #[source]
        source: jsonwebtoken::errors::Error,
    },
    /// A file of keys that is no JWKS.
    #[error("read keys from {}", path.display())]
    BadKeys {
        path: PathBuf,
        #[source]
        source: serde_json::Error,
    },
    /// Certificates that can't be authorities.
    #[error("use the certificates in {}", path.display())]
    BadAuthority {
        path: PathBuf,
        #[source]
        source: tokio_rustls::rustls::server::VerifierBuilderError,
    },
    /// A token can't be signed.
    #[error("sign a token")]
    Sign {
        #[source]
        source: jsonwebtoken::errors::Error,
    },
    /// A password can't be hashed.
    #[error("hash the password")]
    Hash {
        #[source]
        source: bcrypt::BcryptError,
    },
    /// No random numbers.
    #[error("draw random numbers")]
    Random,
    /// A name that would break the file of users.
    #[error("'{name}' cannot be a user's name: no colons and no line breaks")]
    BadName { name: String },
}

impl Classified for AccessError {
    fn class(&self) -> Class {
        match self {
            Self::File { source, .. } => errors::io_class(source),
            Self::Durable(source) => source.class(),
            Self::Sign { .. } | Self::Hash { .. } | Self::Random => Class::Internal,
            _ => Class::Invalid,
        }
    }
}
