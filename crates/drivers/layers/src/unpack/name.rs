//! Names of entries, taken apart before anything is looked up.

/// The longest component that file systems bear.
const MAX_COMPONENT: usize = 255;

/// A relative path without `.`, `..` and empty components; the root is the empty one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Name {
    bytes: Vec<u8>,
    /// Where the last component begins.
    base: usize,
}

impl Name {
    /// Leading slashes are dropped, as by every engine and by tar itself; `..` is refused.
    pub(super) fn parse(path: &[u8]) -> Result<Self, &'static str> {
        let (mut bytes, mut base) = (Vec::with_capacity(path.len()), 0);
        for component in path.split(|&b| b == b'/') {
            match component {
                b"" | b"." => continue,
                b".." => return Err("has '..' in its name"),
                _ if component.len() > MAX_COMPONENT => return Err("has a name that is too long"),
                _ => {}
            }
            if !bytes.is_empty() {
                bytes.push(b'/');
            }
            base = bytes.len();
            bytes.extend_from_slice(component);
        }
        Ok(Self { bytes, base })
    }

    pub(super) fn is_root(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The directory that holds it; empty: the root.
    pub(super) fn dir(&self) -> &[u8] {
        &self.bytes[..self.base.saturating_sub(1)]
    }

    /// The last component.
    pub(super) fn base(&self) -> &[u8] {
        &self.bytes[self.base..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_and_plain() {
        let parse = |path: &str| {
            Name::parse(path.as_bytes()).map(|name| {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
                (text(name.dir()), text(name.base()))
            })
        };
        let pair = |dir: &str, base: &str| Ok((dir.to_owned(), base.to_owned()));
        assert_eq!(parse("./a/b//c/"), pair("a/b", "c"));
        assert_eq!(parse("///etc/passwd"), pair("etc", "passwd"));
        assert_eq!(parse("./"), pair("", ""));
        assert_eq!(parse("a"), pair("", "a"));
        assert_eq!(parse("..."), pair("", "..."));
        for bad in ["..", "../a", "a/..", "a/../b", "/..", &"x".repeat(256)] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
