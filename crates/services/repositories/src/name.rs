//! Names of repositories and tags, in the grammar of the distribution specification ("Pulling manifests").
//!
//! What has one of these types is safe as a part of a path: no name begins with a dot or an underscore, or holds an
//! empty part.

use crate::RepositoryError;
use oci::Digest;
use std::fmt;
use std::str::FromStr;

/// Longest name of a repository. Clients count the host too, which is theirs to do.
const MAX_NAME: usize = 255;
const MAX_TAG: usize = 128;

/// A repository: components of lower-case letters, digits and single separators, with slashes between them.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RepositoryName(Box<str>);

/// A tag: up to 128 letters, digits, `_`, `.` and `-`, the last two not in front.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Box<str>);

/// What names a manifest in a repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// By tag.
    Tag(Tag),
    /// By digest.
    Digest(Digest),
}

impl RepositoryName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Tag {
    /// The tag.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RepositoryName {
    type Err = RepositoryError;
    fn from_str(text: &str) -> Result<Self, RepositoryError> {
        if text.len() <= MAX_NAME && text.split('/').all(is_component) {
            Ok(Self(text.into()))
        } else {
            Err(RepositoryError::NameInvalid { name: text.to_owned() })
        }
    }
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn is_component(text: &str) -> bool {
    let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let separator =
        |s: &str| matches!(s, "." | "_" | "__") || (!s.is_empty() && s.bytes().all(|b| b == b'-'));
    text.starts_with(word) && text.ends_with(word) && text.split(word).all(|s| s.is_empty() || separator(s))
}

impl FromStr for Tag {
    type Err = RepositoryError;
    fn from_str(text: &str) -> Result<Self, RepositoryError> {
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        let first = text.bytes().next().is_some_and(word);
        if first && text.len() <= MAX_TAG && text.bytes().all(|b| word(b) || b == b'.' || b == b'-') {
            Ok(Self(text.into()))
        } else {
            Err(RepositoryError::TagInvalid { tag: text.to_owned() })
        }
    }
}

/// A text with a colon can only be a digest: tags have none.
impl FromStr for Target {
    type Err = RepositoryError;
    fn from_str(text: &str) -> Result<Self, RepositoryError> {
        if text.contains(':') {
            text.parse().map(Self::Digest).map_err(|source| RepositoryError::Digest { source })
        } else {
            text.parse().map(Self::Tag)
        }
    }
}

impl fmt::Display for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RepositoryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag(tag) => tag.fmt(f),
            Self::Digest(digest) => digest.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_grammar() {
        for good in ["a", "a/b", "a.b/c_d/e__f/g---h", "0/1", &"a/".repeat(127).as_str()[..253]] {
            assert!(good.parse::<RepositoryName>().is_ok(), "{good}");
        }
        let long = "a".repeat(256);
        for bad in [
            "", "/", "a/", "/a", "a//b", "A", "a..b", "a___b", "a._b", "-a", "_a", ".", "..", "../a", "a b",
            "é",
        ]
        .into_iter()
        .chain([long.as_str()])
        {
            assert!(bad.parse::<RepositoryName>().is_err(), "{bad}");
        }
    }

    #[test]
    fn tags_and_digests_are_told_apart() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        assert!(matches!(digest.parse(), Ok(Target::Digest(_))));
        assert!(matches!("V1.2-x_y".parse(), Ok(Target::Tag(_))));
        for bad in ["", ".x", "-x", "a/b", "..", "sha256:0a", "md5:00", &"t".repeat(129)] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
    }
}
