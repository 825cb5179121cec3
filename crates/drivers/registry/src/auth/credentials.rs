//! What a user proves his identity with.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// What a user proves his identity with. Its `Debug` hides secrets.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Credentials {
    /// A name and a password, or an access token in its place.
    Basic {
        /// The name.
        user: String,
        /// The password.
        password: String,
    },
    /// A refresh token, to be changed for tokens of access (OAuth 2.0, RFC 6749 section 6).
    IdentityToken(String),
    /// A bearer token that the registry takes as it is.
    RegistryToken(String),
}

impl Credentials {
    /// The header of HTTP's basic authentication (RFC 7617), where these are a name and a password.
    pub(crate) fn basic(&self) -> Option<String> {
        match self {
            Self::Basic { user, password } => {
                Some(format!("Basic {}", STANDARD.encode(format!("{user}:{password}"))))
            }
            _ => None,
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Basic { user, .. } => write!(f, "Basic({user})"),
            Self::IdentityToken(_) => f.write_str("IdentityToken"),
            Self::RegistryToken(_) => f.write_str("RegistryToken"),
        }
    }
}
