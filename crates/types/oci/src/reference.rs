//! Image references in docker's grammar: familiar names and their full form, tags and digests.
//!
//! `busybox` means `docker.io/library/busybox:latest`. A first component is a host only if it holds a dot or a
//! colon, is `localhost`, or has an upper-case letter, which no repository may have.

use crate::Digest;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The registry of names without a host.
pub const DEFAULT_DOMAIN: &str = "docker.io";
/// The tag of names with neither tag nor digest.
pub const DEFAULT_TAG: &str = "latest";

const OFFICIAL: &str = "library/";
const MAX_NAME: usize = 255;
const MAX_TAG: usize = 128;

/// Why a text is not a reference. The sentences are docker's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// Empty text.
    #[error("invalid reference format: repository name must have at least one component")]
    Empty,
    /// An upper-case letter in the repository.
    #[error("invalid reference format: repository name ({name}) must be lowercase")]
    Uppercase {
        /// The repository without its host.
        name: String,
    },
    /// 64 hexadecimal digits, which is an image id.
    #[error("invalid repository name ({name}), cannot specify 64-byte hexadecimal strings")]
    Hexadecimal {
        /// What was given.
        name: String,
    },
    /// Host and path together exceed 255 characters.
    #[error("invalid reference format: repository name must not be more than 255 characters")]
    TooLong,
    /// Anything else.
    #[error("invalid reference format: '{text}'")]
    Malformed {
        /// What was given.
        text: String,
    },
}

impl errors::Classified for ReferenceError {
    fn class(&self) -> errors::Class {
        errors::Class::Invalid
    }
}

/// A repository with an optional tag and digest, in full form.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Reference {
    /// Host and repository, `docker.io/library/busybox`.
    name: String,
    /// Length of the host in `name`.
    host: usize,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// The registry's host and port: `docker.io`.
    pub fn domain(&self) -> &str {
        &self.name[..self.host]
    }

    /// The repository in the registry: `library/busybox`.
    pub fn path(&self) -> &str {
        &self.name[self.host + 1..]
    }

    /// The tag, if there is one.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// The manifest's digest, if there is one.
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// `docker.io/library/busybox`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The repository as people write it: `busybox`.
    pub fn familiar_name(&self) -> &str {
        if self.domain() != DEFAULT_DOMAIN {
            return &self.name;
        }
        let short = match self.path().strip_prefix(OFFICIAL) {
            Some(rest) if !rest.contains('/') => rest,
            _ => self.path(),
        };
        // `docker.io/a.b/c` must not be shown as a repository of the registry `a.b`.
        let ambiguous = split_domain(short) != (DEFAULT_DOMAIN, short) || is_full_id(short);
        if ambiguous { &self.name } else { short }
    }

    /// The whole reference as people write it: `busybox:latest`, `registry:5000/x@sha256:…`.
    pub fn familiar(&self) -> String {
        let mut text = self.familiar_name().to_owned();
        self.push_suffix(&mut text);
        text
    }

    /// With `latest` where neither tag nor digest is given.
    #[must_use]
    pub fn or_latest(mut self) -> Self {
        if self.tag.is_none() && self.digest.is_none() {
            self.tag = Some(DEFAULT_TAG.to_owned());
        }
        self
    }

    /// The same repository with this tag and no digest.
    ///
    /// # Errors
    /// [`ReferenceError::Malformed`] if it is no tag.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ReferenceError> {
        if !is_tag(tag) {
            return Err(ReferenceError::Malformed { text: tag.to_owned() });
        }
        Ok(Self { tag: Some(tag.to_owned()), digest: None, ..self.clone() })
    }

    /// The same repository with this digest and no tag.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self { tag: None, digest: Some(digest), ..self.clone() }
    }

    /// The repository alone.
    #[must_use]
    pub fn without_tag(&self) -> Self {
        Self { tag: None, digest: None, ..self.clone() }
    }

    /// Whether nothing but the repository is given.
    pub fn is_name_only(&self) -> bool {
        self.tag.is_none() && self.digest.is_none()
    }

    /// Whether both name the same repository.
    pub fn same_repository(&self, other: &Self) -> bool {
        self.name == other.name
    }

    fn push_suffix(&self, text: &mut String) {
        if let Some(tag) = &self.tag {
            text.push(':');
            text.push_str(tag);
        }
        if let Some(digest) = &self.digest {
            text.push('@');
            text.push_str(digest.as_str());
        }
    }
}

impl FromStr for Reference {
    type Err = ReferenceError;
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if text.is_empty() {
            return Err(ReferenceError::Empty);
        }
        if is_full_id(text) {
            return Err(ReferenceError::Hexadecimal { name: text.to_owned() });
        }
        let malformed = || ReferenceError::Malformed { text: text.to_owned() };
        let (domain, rest) = split_domain(text);
        let (rest, digest) = match rest.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse::<Digest>().map_err(|_| malformed())?)),
            None => (rest, None),
        };
        let (path, tag) = match rest.split_once(':') {
            Some((path, tag)) if is_tag(tag) => (path, Some(tag.to_owned())),
            Some(_) => return Err(malformed()),
            None => (rest, None),
        };
        let official = domain == DEFAULT_DOMAIN && !path.contains('/');
        if path.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(ReferenceError::Uppercase { name: path.to_owned() });
        }
        if !is_domain(domain) || !path.split('/').all(is_path_component) {
            return Err(malformed());
        }
        let name = format!("{domain}/{}{path}", if official { OFFICIAL } else { "" });
        if name.len() > MAX_NAME {
            return Err(ReferenceError::TooLong);
        }
        Ok(Self { host: domain.len(), name, tag, digest })
    }
}

fn split_domain(text: &str) -> (&str, &str) {
    let Some((first, rest)) = text.split_once('/') else { return (DEFAULT_DOMAIN, text) };
    let host =
        first == "localhost" || first.contains(['.', ':']) || first.bytes().any(|b| b.is_ascii_uppercase());
    match first {
        "docker.io" | "index.docker.io" => (DEFAULT_DOMAIN, rest),
        _ if host => (first, rest),
        _ => (DEFAULT_DOMAIN, text),
    }
}

/// `host`, `host:port`, `[v6]:port`.
fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (domain, None),
    };
    let port_ok = port.is_none_or(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()));
    let v6 = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let host_ok = match v6 {
        Some(v6) => !v6.is_empty() && v6.bytes().all(|b| b.is_ascii_hexdigit() || b == b':'),
        None => host.split('.').all(|label| {
            !label.is_empty()
                && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        }),
    };
    port_ok && host_ok
}

/// Lower-case letters and digits, joined by `.`, `_`, `__` or any number of `-`.
fn is_path_component(component: &str) -> bool {
    let word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let (Some(&first), Some(&last)) = (bytes.first(), bytes.last()) else { return false };
    let separators = component.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    word(first)
        && word(last)
        && separators.into_iter().all(|s| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-'))
}

fn is_tag(tag: &str) -> bool {
    tag.len() <= MAX_TAG
        && tag.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        && tag.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

fn is_full_id(text: &str) -> bool {
    text.len() == 64 && is_lower_hex(text)
}

fn is_lower_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// Whether `text` could be the beginning of `id`, with or without `sha256:`.
pub fn is_id_prefix(id: &Digest, text: &str) -> bool {
    let hex = text.strip_prefix("sha256:").unwrap_or(text);
    is_lower_hex(hex) && id.hex().starts_with(hex)
}

/// What a user typed to name an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// An image's full id.
    Id(Digest),
    /// A reference; if no image bears it, the text may still be the beginning of an id.
    Reference(Reference),
}

impl FromStr for Query {
    type Err = ReferenceError;
    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if is_full_id(text) {
            return Self::from_str(&format!("sha256:{text}"));
        }
        match text.parse::<Digest>() {
            Ok(digest) => Ok(Self::Id(digest)),
            Err(_) => text.parse().map(Self::Reference),
        }
    }
}

impl TryFrom<String> for Reference {
    type Error = ReferenceError;
    fn try_from(text: String) -> Result<Self, ReferenceError> {
        text.parse()
    }
}

impl From<Reference> for String {
    fn from(reference: Reference) -> String {
        reference.to_string()
    }
}

/// The full form.
impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = self.name.clone();
        self.push_suffix(&mut text);
        f.write_str(&text)
    }
}

impl fmt::Debug for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn familiar_and_full_forms() {
        let digest = format!("@sha256:{HEX}");
        for (text, full, familiar) in [
            ("busybox", "docker.io/library/busybox", "busybox"),
            ("busybox:1.36", "docker.io/library/busybox:1.36", "busybox:1.36"),
            ("user/app", "docker.io/user/app", "user/app"),
            ("docker.io/busybox", "docker.io/library/busybox", "busybox"),
            ("index.docker.io/library/busybox", "docker.io/library/busybox", "busybox"),
            ("docker.io/library/a/b", "docker.io/library/a/b", "library/a/b"),
            ("docker.io/a.b/c", "docker.io/a.b/c", "docker.io/a.b/c"),
            ("docker.io/localhost/c:1", "docker.io/localhost/c:1", "docker.io/localhost/c:1"),
            ("localhost/app:x", "localhost/app:x", "localhost/app:x"),
            ("localhost:5000/app", "localhost:5000/app", "localhost:5000/app"),
            ("HOST/app", "HOST/app", "HOST/app"),
            (
                "quay.io/a/b/c_d__e--f.g:T_1.2-x",
                "quay.io/a/b/c_d__e--f.g:T_1.2-x",
                "quay.io/a/b/c_d__e--f.g:T_1.2-x",
            ),
            ("[fd00::1]:5000/app", "[fd00::1]:5000/app", "[fd00::1]:5000/app"),
            (&format!("x{digest}"), &format!("docker.io/library/x{digest}"), &format!("x{digest}")),
            (&format!("x:1{digest}"), &format!("docker.io/library/x:1{digest}"), &format!("x:1{digest}")),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(
                (reference.to_string().as_str(), reference.familiar().as_str()),
                (full, familiar),
                "{text}"
            );
            assert_eq!(reference.to_string().parse::<Reference>().unwrap(), reference, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_reference() {
        let long = "a/".repeat(130) + "a";
        for bad in [
            "",
            ":",
            "@",
            "a:",
            "a@",
            "a:b:c",
            "a:-x",
            "/a",
            "a/",
            "a//b",
            "-a",
            "a-",
            "a..b",
            "a___b",
            "a._b",
            "A",
            "a/B",
            " a",
            "a b",
            "é",
            "a@sha256:00",
            "a@md5:00",
            "-.x/a",
            "x.-y/a",
            "h:port/a",
            "[zz]:1/a",
            HEX,
            &long,
            &format!("a:{}", "t".repeat(129)),
        ] {
            assert!(bad.parse::<Reference>().is_err(), "{bad}");
        }
        assert_eq!(
            "Foo".parse::<Reference>().unwrap_err().to_string(),
            "invalid reference format: repository name (Foo) must be lowercase"
        );
    }

    #[test]
    fn latest_is_added_only_where_nothing_is_said() {
        let latest = |text: &str| text.parse::<Reference>().unwrap().or_latest().familiar();
        assert_eq!(latest("a"), "a:latest");
        assert_eq!(latest("a:b"), "a:b");
        assert_eq!(latest(&format!("a@sha256:{HEX}")), format!("a@sha256:{HEX}"));
    }

    #[test]
    fn queries_tell_ids_from_names() {
        let id: Digest = format!("sha256:{HEX}").parse().unwrap();
        assert_eq!(HEX.parse(), Ok(Query::Id(id.clone())));
        assert_eq!(id.as_str().parse(), Ok(Query::Id(id.clone())));
        assert!(matches!("0123456789ab".parse(), Ok(Query::Reference(_))));
        assert!(is_id_prefix(&id, "0123"));
        assert!(is_id_prefix(&id, "sha256:0123"));
        assert!(!is_id_prefix(&id, "0124") && !is_id_prefix(&id, "") && !is_id_prefix(&id, "sha256:"));
    }
}
