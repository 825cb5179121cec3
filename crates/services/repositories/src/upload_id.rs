//! Ids of uploads: random UUIDs, so that nobody guesses somebody else's.

use crate::RepositoryError;
use std::fmt;
use std::str::FromStr;

/// A UUID of version 4 in its usual spelling.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UploadId(Box<str>);

impl UploadId {
    /// A new one.
    ///
    /// # Errors
    /// [`RepositoryError::Random`] where the system has no random numbers.
    pub fn new() -> Result<Self, RepositoryError> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|source| RepositoryError::Random { source })?;
        Ok(Self::from_bytes(bytes))
    }

    /// RFC 9562, section 5.4: all bits random but version and variant.
    fn from_bytes(mut bytes: [u8; 16]) -> Self {
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = hex::encode(bytes);
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        Self(parts.join("-").into())
    }

    /// The UUID.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UploadId {
    type Err = RepositoryError;
    fn from_str(text: &str) -> Result<Self, RepositoryError> {
        let sound = text.len() == 36
            && text.bytes().enumerate().all(|(at, byte)| match at {
                8 | 13 | 18 | 23 => byte == b'-',
                _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
            });
        if sound {
            Ok(Self(text.into()))
        } else {
            Err(RepositoryError::UploadUnknown { id: text.to_owned() })
        }
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids() {
        assert_eq!(UploadId::from_bytes([0xff; 16]).as_str(), "ffffffff-ffff-4fff-bfff-ffffffffffff");
        let id = UploadId::new().unwrap();
        assert_eq!(id.as_str().parse::<UploadId>().unwrap(), id);
        assert_ne!(id, UploadId::new().unwrap());
        for bad in ["", "../../../../../../../../etc/passwd00", "FFFFFFFF-ffff-4fff-bfff-ffffffffffff"] {
            assert!(bad.parse::<UploadId>().is_err(), "{bad}");
        }
    }
}
