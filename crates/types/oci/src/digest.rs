//! Content digests (OCI image specification, "Digests").

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Why a text is not a digest.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// No `algorithm:hex`.
    #[error("invalid digest '{text}': expected algorithm:hex")]
    Malformed {
        /// What was given.
        text: String,
    },
    /// An algorithm other than sha256, sha384 and sha512.
    #[error("invalid digest '{text}': unsupported digest algorithm")]
    Algorithm {
        /// What was given.
        text: String,
    },
    /// Not as many lower-case hexadecimal digits as the algorithm yields.
    #[error("invalid digest '{text}': invalid checksum digest length or character")]
    Checksum {
        /// What was given.
        text: String,
    },
}

impl errors::Classified for DigestError {
    fn class(&self) -> errors::Class {
        errors::Class::Invalid
    }
}

/// `sha256:` and 64 lower-case hexadecimal digits, or `sha384:` and 96, or `sha512:` and 128.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(Box<str>);

impl Digest {
    /// The digest of which SHA-256 yielded these bytes.
    pub fn sha256(sum: [u8; 32]) -> Self {
        Self::new("sha256:", &sum)
    }

    /// The digest of which SHA-384 yielded these bytes.
    pub fn sha384(sum: [u8; 48]) -> Self {
        Self::new("sha384:", &sum)
    }

    /// The digest of which SHA-512 yielded these bytes.
    pub fn sha512(sum: [u8; 64]) -> Self {
        Self::new("sha512:", &sum)
    }

    fn new(prefix: &str, sum: &[u8]) -> Self {
        let mut text = String::with_capacity(prefix.len() + 2 * sum.len());
        text.push_str(prefix);
        push_hex(&mut text, sum);
        Self(text.into())
    }

    /// `algorithm:hex`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `sha256`, `sha384` or `sha512`.
    pub fn algorithm(&self) -> &str {
        self.0.split_once(':').map_or("", |(algorithm, _)| algorithm)
    }

    /// The digits after the colon.
    pub fn hex(&self) -> &str {
        self.0.split_once(':').map_or("", |(_, hex)| hex)
    }

    /// The first 12 digits, as lists show them.
    pub fn short(&self) -> &str {
        &self.hex()[..12]
    }
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for byte in bytes {
        text.push(DIGITS[usize::from(byte >> 4)] as char);
        text.push(DIGITS[usize::from(byte & 15)] as char);
    }
}

impl FromStr for Digest {
    type Err = DigestError;
    fn from_str(text: &str) -> Result<Self, DigestError> {
        let Some((algorithm, hex)) = text.split_once(':') else {
            return Err(DigestError::Malformed { text: text.to_owned() });
        };
        let length = match algorithm {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return Err(DigestError::Algorithm { text: text.to_owned() }),
        };
        if hex.len() == length && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            Ok(Self(text.into()))
        } else {
            Err(DigestError::Checksum { text: text.to_owned() })
        }
    }
}

impl TryFrom<String> for Digest {
    type Error = DigestError;
    fn try_from(text: String) -> Result<Self, DigestError> {
        text.parse()
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        digest.0.into()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The chain id of a stack of layers (image specification, "Layer ChainID"): of one layer its diff id, of more
/// the digest of `chain-below diff-id`. None for no layers. `hash` is SHA-256, which this pure crate doesn't bring.
pub fn chain_id(diff_ids: &[Digest], hash: impl Fn(&[u8]) -> [u8; 32]) -> Option<Digest> {
    let (first, rest) = diff_ids.split_first()?;
    let above = |chain: Digest, diff: &Digest| Digest::sha256(hash(format!("{chain} {diff}").as_bytes()));
    Some(rest.iter().fold(first.clone(), above))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_strict() {
        let good = format!("sha256:{}", "0a".repeat(32));
        let digest: Digest = good.parse().unwrap();
        assert_eq!((digest.algorithm(), digest.short()), ("sha256", "0a0a0a0a0a0a"));
        assert_eq!(Digest::sha256([10; 32]), digest);
        for bad in ["", "sha256:", "sha256:abc", "md5:0a0a", &good.to_uppercase(), &format!("{good}0")] {
            assert!(bad.parse::<Digest>().is_err(), "{bad}");
        }
    }
}
