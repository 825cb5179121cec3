//! Who may do what, and how clients show who they are.

mod basic;
mod error;
mod htpasswd;
mod issuer;
mod keys;
mod list;
mod scope;
mod token;

pub use error::AccessError;
pub use htpasswd::{Htpasswd, htpasswd_line};
pub use issuer::Issuer;
pub use keys::TrustedKeys;
pub use list::AccessList;
pub use token::TokenAccess;

pub(crate) use basic::Credentials;
pub(crate) use issuer::Grant;
pub(crate) use scope::{Action, Resource, Scope};

use crate::http::refusal::{Code, Refusal};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

/// How clients are told apart.
#[derive(Debug)]
pub enum Access {
    /// Not at all: everybody may do everything.
    Open,
    /// By name and password with each request.
    Basic(Htpasswd, AccessList),
    /// By tokens of a token service, ours or another one.
    Token(TokenAccess),
}

impl Access {
    /// Whether blobs may be looked for in all repositories: only where everybody may see all of them.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Open)
    }

    /// Lets a request pass that may do all of `scopes`; those without any must still say who they are, where that can
    /// be said. `origin` is how the client reaches this server.
    pub(crate) async fn admit(
        &self,
        headers: &HeaderMap,
        scopes: &[Scope],
        origin: &str,
    ) -> Result<(), Refusal> {
        match self {
            Self::Open => Ok(()),
            Self::Basic(users, list) => {
                let credentials = Credentials::of(headers);
                let user = match &credentials {
                    Some(given) if !given.is_anonymous() => {
                        if !users.verify(given).await.map_err(|error| internal(&error))? {
                            return Err(unauthorized("wrong name or password", basic_challenge()));
                        }
                        Some(given.name.as_str())
                    }
                    _ => None,
                };
                list.admit(user, scopes, basic_challenge)
            }
            Self::Token(tokens) => tokens.admit(headers, scopes, origin),
        }
    }
}

fn basic_challenge() -> HeaderValue {
    HeaderValue::from_static("Basic realm=\"container-runtime registry\", charset=\"UTF-8\"")
}

pub(crate) fn unauthorized(message: &str, challenge: HeaderValue) -> Refusal {
    Refusal::new(StatusCode::UNAUTHORIZED, Code::Unauthorized, message)
        .with_header(header::WWW_AUTHENTICATE, challenge)
}

/// The registry can't find out who somebody is.
pub(crate) fn internal(error: &AccessError) -> Refusal {
    tracing::error!(error = %errors::chain(error), "authentication failed");
    let message = "the registry failed to check who you are; its log has the details";
    Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, Code::Unknown, message)
}
