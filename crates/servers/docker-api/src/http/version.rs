//! Which version of the API a request speaks: the `/v1.xx/` prefix and its limits.

use errors::{Class, Classified};
use std::fmt;
use std::str::FromStr;

/// A version of the Engine API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    major: u32,
    minor: u32,
}

/// The oldest that is answered.
pub const OLDEST: ApiVersion = ApiVersion::new(1, 24);
/// The newest, and the one of requests without a prefix.
pub const NEWEST: ApiVersion = ApiVersion::new(1, 51);

impl ApiVersion {
    /// `major.minor`.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// Whether it is 1.`minor` or newer.
    pub fn at_least(self, minor: u32) -> bool {
        self >= Self::new(1, minor)
    }
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// Why a version is not answered. The words are Docker's: clients match on them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Older than [`OLDEST`].
    #[error(
        "client version {asked} is too old. Minimum supported API version is {OLDEST}, \
         please upgrade your client to a newer version"
    )]
    TooOld {
        /// As the client wrote it.
        asked: String,
    },
    /// Newer than [`NEWEST`].
    #[error("client version {asked} is too new. Maximum supported API version is {NEWEST}")]
    TooNew {
        /// As the client wrote it.
        asked: String,
    },
}

impl Classified for VersionError {
    fn class(&self) -> Class {
        Class::Invalid
    }
}

/// Lenient like Docker: missing parts are 0, further ones are ignored.
impl FromStr for ApiVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        // A part too large for the type is newer than anything.
        let mut parts = text.split('.').map(|part| match part {
            "" => 0,
            digits => digits.parse().unwrap_or(u32::MAX),
        });
        let version = Self::new(parts.next().unwrap_or(0), parts.next().unwrap_or(0));
        if version < OLDEST {
            return Err(VersionError::TooOld { asked: text.to_owned() });
        }
        if version > NEWEST {
            return Err(VersionError::TooNew { asked: text.to_owned() });
        }
        Ok(version)
    }
}

/// Splits `/v1.41/containers/json` into `1.41` and `/containers/json`; none: the path has no version.
pub(crate) fn split_prefix(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix("/v")?;
    let end = rest.find('/')?;
    let (version, path) = rest.split_at(end);
    let numeric = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    numeric.then_some((version, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_within_the_limits_are_accepted() {
        for minor in 24..=51 {
            assert_eq!(format!("1.{minor}").parse::<ApiVersion>().unwrap(), ApiVersion::new(1, minor));
        }
    }

    #[test]
    fn others_are_refused_in_dockers_words() {
        let refused = |text: &str| text.parse::<ApiVersion>().unwrap_err().to_string();
        assert_eq!(
            refused("1.23"),
            "client version 1.23 is too old. Minimum supported API version is 1.24, \
             please upgrade your client to a newer version"
        );
        assert_eq!(refused("1.52"), "client version 1.52 is too new. Maximum supported API version is 1.51");
        assert!(refused("2").contains("too new"));
        assert!(refused("1.4").contains("too old"));
        assert!(refused("99999999999.1").contains("too new"));
        assert!(refused("...").contains("too old"));
    }

    #[test]
    fn only_a_numeric_first_segment_is_a_version() {
        assert_eq!(split_prefix("/v1.41/containers/json"), Some(("1.41", "/containers/json")));
        assert_eq!(split_prefix("/v1/x"), Some(("1", "/x")));
        for path in ["/volumes", "/version", "/v/x", "/v1.41", "/vx/y", "/containers/v1.41/json"] {
            assert_eq!(split_prefix(path), None, "{path}");
        }
    }
}
