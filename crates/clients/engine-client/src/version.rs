//! API versions and which of them this client can speak.

use std::fmt;
use std::str::FromStr;

/// A version of the Engine API, `major.minor`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    /// Always 1 so far.
    pub major: u16,
    /// Grows with each release of the API.
    pub minor: u16,
}

impl ApiVersion {
    /// The newest version that this client knows; it never asks for more.
    pub const NEWEST: Self = Self { major: 1, minor: 51 };
    /// The version of a daemon so old that `_ping` does not tell one.
    pub const UNTOLD: Self = Self { major: 1, minor: 24 };
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for ApiVersion {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (major, minor) = text.trim_start_matches('v').split_once('.').ok_or(())?;
        Ok(Self { major: major.parse().map_err(drop)?, minor: minor.parse().map_err(drop)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_order_by_number_not_by_text() {
        let old: ApiVersion = "1.9".parse().unwrap();
        let new: ApiVersion = "v1.41".parse().unwrap();
        assert!(old < new);
        assert_eq!(new.to_string(), "1.41");
        assert!("1".parse::<ApiVersion>().is_err());
    }
}
