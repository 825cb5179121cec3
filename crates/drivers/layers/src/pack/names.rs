//! Names of entries: where in the archive a path of the tree is.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Puts the paths of a tree where its root shall be.
#[derive(Debug)]
pub(super) struct Names {
    /// Entry of the root itself, with its final slash; none: it has none.
    root: Option<Vec<u8>>,
    /// What stands before all others.
    prefix: Vec<u8>,
}

impl Names {
    /// Below `name`. Of `/` and `.` the slash stays one.
    pub(super) fn below(name: &[u8]) -> Self {
        let mut prefix = name.to_owned();
        if !prefix.ends_with(b"/") {
            prefix.push(b'/');
        }
        Self { root: Some(prefix.clone()), prefix }
    }

    /// As in the tree, without an entry for the root.
    pub(super) fn plain() -> Self {
        Self { root: None, prefix: Vec::new() }
    }

    /// As in the tree, the root as `./`.
    pub(super) fn with_root() -> Self {
        Self { root: Some(b"./".to_vec()), prefix: Vec::new() }
    }

    pub(super) fn directory(&self, path: &Path) -> Option<Vec<u8>> {
        if path.as_os_str().is_empty() {
            return self.root.clone();
        }
        Some([&self.prefix, path.as_os_str().as_bytes(), b"/"].concat())
    }

    pub(super) fn of(&self, path: &Path) -> Vec<u8> {
        [self.prefix.as_slice(), path.as_os_str().as_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_docker_gives() {
        let names = |name: &str| {
            let names = Names::below(name.as_bytes());
            let all = [
                names.directory(Path::new("")).unwrap(),
                names.directory(Path::new("b")).unwrap(),
                names.of(Path::new("b/f")),
            ];
            all.map(|name| String::from_utf8(name).unwrap())
        };
        assert_eq!(names("a"), ["a/", "a/b/", "a/b/f"]);
        assert_eq!(names("."), ["./", "./b/", "./b/f"]);
        assert_eq!(names("/"), ["/", "/b/", "/b/f"]);
        assert_eq!(Names::plain().directory(Path::new("")), None);
        assert_eq!(Names::with_root().of(Path::new("b/f")), b"b/f");
    }
}
