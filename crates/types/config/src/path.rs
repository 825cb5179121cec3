//! Names of keys: `network.ip_range`, `registry.mirrors."docker.io"`.

use std::fmt;

/// Where a value stands in the tree of settings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct KeyPath(Vec<String>);

impl KeyPath {
    /// The tree itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// Of these parts.
    pub fn of<S: Into<String>>(parts: impl IntoIterator<Item = S>) -> Self {
        Self(parts.into_iter().map(Into::into).collect())
    }

    /// Of a name in the program's text, whose parts have no dots.
    pub fn dotted(name: &str) -> Self {
        Self::of(name.split('.'))
    }

    /// As a person writes it: parts with dots between them; a part that has dots itself in double quotes.
    ///
    /// # Errors
    /// A quote that does not end, or a part that is empty.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        loop {
            let (part, after) = match rest.strip_prefix('"') {
                Some(quoted) => {
                    quoted.split_once('"').ok_or_else(|| format!("{text}: a quote does not end"))?
                }
                None => rest.split_at(rest.find('.').unwrap_or(rest.len())),
            };
            if part.is_empty() {
                return Err(format!("'{text}' is no key: write it as network.ip_range"));
            }
            parts.push(part.to_owned());
            match after.strip_prefix('.') {
                Some(more) => rest = more,
                None if after.is_empty() => return Ok(Self(parts)),
                None => return Err(format!("{text}: a dot has to follow a quote")),
            }
        }
    }

    /// With one part more.
    #[must_use]
    pub fn child(&self, part: &str) -> Self {
        let mut parts = self.0.clone();
        parts.push(part.to_owned());
        Self(parts)
    }

    /// Its parts.
    pub fn parts(&self) -> &[String] {
        &self.0
    }

    /// Whether it is `other`, or below it.
    pub fn is_in(&self, other: &Self) -> bool {
        self.0.starts_with(&other.0)
    }
}

impl fmt::Display for KeyPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, part) in self.0.iter().enumerate() {
            let dot = if number == 0 { "" } else { "." };
            let quote = if part.contains(['.', '"']) || part.is_empty() { "\"" } else { "" };
            write!(f, "{dot}{quote}{part}{quote}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_with_dots_are_quoted() {
        for text in ["network.ip_range", "registry.mirrors.\"docker.io\"", "a.\"b.c\".d"] {
            assert_eq!(KeyPath::parse(text).unwrap().to_string(), text);
        }
        let path = KeyPath::parse("registry.mirrors.\"docker.io\"").unwrap();
        assert_eq!(path.parts(), ["registry", "mirrors", "docker.io"]);
    }

    #[test]
    fn what_is_no_key_says_why() {
        assert_eq!(KeyPath::parse("a..b").unwrap_err(), "'a..b' is no key: write it as network.ip_range");
        assert_eq!(KeyPath::parse("").unwrap_err(), "'' is no key: write it as network.ip_range");
        assert_eq!(KeyPath::parse("a.\"b").unwrap_err(), "a.\"b: a quote does not end");
        assert_eq!(KeyPath::parse("\"a\"b").unwrap_err(), "\"a\"b: a dot has to follow a quote");
    }
}
