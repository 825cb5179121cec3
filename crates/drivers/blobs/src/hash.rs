//! Content hashes, with the processor's instructions where it has them.

use oci::Digest;
use sha2::Digest as _;
use std::fmt;

/// A running SHA-256.
#[derive(Clone, Default)]
pub struct Sha256(sha2::Sha256);

impl Sha256 {
    /// Of nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Continues with `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of everything so far.
    pub fn finish(self) -> Digest {
        Digest::sha256(self.0.finalize().into())
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sha256")
    }
}

/// The 32 bytes of `bytes`' SHA-256.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}

/// The digest of `bytes`, by SHA-256.
pub fn digest(bytes: &[u8]) -> Digest {
    Digest::sha256(sha256(bytes))
}

/// The digest of `bytes` by the algorithm that `digest` has.
pub fn digest_as(digest: &Digest, bytes: &[u8]) -> Digest {
    let mut hash = Hasher::of(Some(digest));
    hash.update(bytes);
    hash.finish()
}

/// A running hash of the algorithm that some digest has.
#[derive(Clone)]
pub(crate) enum Hasher {
    Sha256(Sha256),
    Sha384(Box<sha2::Sha384>),
    Sha512(Box<sha2::Sha512>),
}

impl Hasher {
    /// The one that yields digests like `digest`; SHA-256 if there is none yet.
    pub(crate) fn of(digest: Option<&Digest>) -> Self {
        Self::named(digest.map_or("sha256", Digest::algorithm))
    }

    /// The one of this name; SHA-256 for names that no digest has.
    pub(crate) fn named(algorithm: &str) -> Self {
        match algorithm {
            "sha384" => Self::Sha384(Box::default()),
            "sha512" => Self::Sha512(Box::default()),
            _ => Self::Sha256(Sha256::new()),
        }
    }

    /// Whether it can yield `digest`.
    pub(crate) fn yields(&self, digest: &Digest) -> bool {
        let name = match self {
            Self::Sha256(_) => "sha256",
            Self::Sha384(_) => "sha384",
            Self::Sha512(_) => "sha512",
        };
        digest.algorithm() == name
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha384(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        match self {
            Self::Sha256(hash) => hash.finish(),
            Self::Sha384(hash) => Digest::sha384(hash.finalize().into()),
            Self::Sha512(hash) => Digest::sha512(hash.finalize().into()),
        }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hasher")
    }
}
