//! Names and passwords in a request (RFC 7617).

use crate::http::fields;
use axum::http::{HeaderMap, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use std::fmt;

/// A name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub(crate) name: String,
    pub(crate) password: String,
}

impl Credentials {
    /// Those of a request, if it has any.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        let (scheme, text) = fields::text(headers, header::AUTHORIZATION)?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("basic") {
            return None;
        }
        let text = String::from_utf8(BASE64_STANDARD.decode(text.trim()).ok()?).ok()?;
        let (name, password) = text.split_once(':')?;
        Some(Self { name: name.to_owned(), password: password.to_owned() })
    }

    /// Some clients that have no credentials send empty ones.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.name.is_empty() && self.password.is_empty()
    }
}

/// Passwords do not belong into logs.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({})", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_read_or_not() {
        let of = |text: &str| {
            Credentials::of(&HeaderMap::from_iter([(header::AUTHORIZATION, text.parse().unwrap())]))
        };
        let given = of("Basic YWRhOmEgcGFzczp3b3Jk").unwrap();
        assert_eq!((given.name.as_str(), given.password.as_str()), ("ada", "a pass:word"));
        assert!(of("basic Og==").unwrap().is_anonymous());
        for bad in ["Basic", "Basic !", "Basic YWRh", "Bearer YWRhOmE="] {
            assert!(of(bad).is_none(), "{bad}");
        }
    }
}
