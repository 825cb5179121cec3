//! Values that people write by hand, with errors that say what to write instead.

use serde::de::{self, Deserializer, Visitor};
use std::fmt;
use std::net::SocketAddr;

/// An address to listen on, as `127.0.0.1:5000`.
///
/// # Errors
/// Says what an address looks like: names of hosts are none, since one may stand for several.
pub fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| match text.strip_prefix("localhost:") {
        Some(port) => format!("write 127.0.0.1:{port}, or [::1]:{port}, for localhost"),
        None => format!(
            "'{text}' is no address and port: write 127.0.0.1:5000 for this host alone, 0.0.0.0:5000 for everybody"
        ),
    })
}

pub(crate) fn listen<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text: Option<String> = serde::Deserialize::deserialize(deserializer)?;
    text.as_deref().map(listen_address).transpose().map_err(de::Error::custom)
}

/// A time, which is a number of seconds.
pub(crate) fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(Seconds)
}

struct Seconds;

impl Visitor<'_> for Seconds {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number of seconds, as 3600 for an hour")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<u64, E> {
        u64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Signed(value), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_none_tells_what_to_write() {
        assert_eq!(listen_address("[::1]:5000").unwrap().port(), 5000);
        assert_eq!(
            listen_address("localhost:5001").unwrap_err(),
            "write 127.0.0.1:5001, or [::1]:5001, for localhost"
        );
        for text in [":5000", "5000", "127.0.0.1", "host:5000"] {
            assert!(listen_address(text).unwrap_err().contains("127.0.0.1:5000"), "{text}");
        }
    }
}
