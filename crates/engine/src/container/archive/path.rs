//! Paths as clients give them.

use std::path::{Component, Path, PathBuf};

/// A path in a container, absolute and without dots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    /// What is meant.
    pub(super) path: PathBuf,
    /// How it ended.
    pub(super) end: End,
}

/// The end of a path, which says more than what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// A name: a symbolic link itself.
    Name,
    /// A slash: the directory, also behind a symbolic link.
    Slash,
    /// `/.` or nothing but a dot: what is in the directory.
    Dot,
}

impl Asked {
    /// Two dots take away the name before them, whatever it is, as in docker.
    pub(super) fn parse(text: &str) -> Self {
        let mut path = PathBuf::from("/");
        for part in Path::new(text).components() {
            match part {
                Component::Normal(name) => path.push(name),
                Component::ParentDir => {
                    path.pop();
                }
                Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
            }
        }
        let end = match text.rsplit('/').next() {
            Some(".") => End::Dot,
            Some("") => End::Slash,
            _ => End::Name,
        };
        Self { path, end }
    }

    /// The name that an archive of it has.
    pub(super) fn name(&self) -> String {
        match self.end {
            End::Dot => ".".to_owned(),
            End::Name | End::Slash => self
                .path
                .file_name()
                .map_or_else(|| "/".to_owned(), |name| name.to_string_lossy().into_owned()),
        }
    }

    /// The directory that holds it, and its name there. The root holds itself.
    pub(super) fn split(&self) -> (&Path, &std::ffi::OsStr) {
        match (self.path.parent(), self.path.file_name()) {
            (Some(parent), Some(name)) => (parent, name),
            _ => (&self.path, std::ffi::OsStr::new(".")),
        }
    }

    /// As messages have it.
    pub(super) fn shown(&self) -> String {
        let path = self.path.display();
        match self.end {
            End::Name => path.to_string(),
            End::Slash => format!("{}/", path.to_string().trim_end_matches('/')),
            End::Dot => format!("{}/.", path.to_string().trim_end_matches('/')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_as_docker_takes_them() {
        let parse = |text: &str| {
            let asked = Asked::parse(text);
            (asked.path.display().to_string(), asked.name(), asked.end)
        };
        let answer = |path: &str, name: &str, end| (path.to_owned(), name.to_owned(), end);
        assert_eq!(parse("/a/b"), answer("/a/b", "b", End::Name));
        assert_eq!(parse("a//b/"), answer("/a/b", "b", End::Slash));
        assert_eq!(parse("/a/."), answer("/a", ".", End::Dot));
        assert_eq!(parse("."), answer("/", ".", End::Dot));
        assert_eq!(parse("/"), answer("/", "/", End::Slash));
        assert_eq!(parse("/a/.."), answer("/", "/", End::Name));
        assert_eq!(parse("../../a/./b/../c"), answer("/a/c", "c", End::Name));
        assert_eq!(Asked::parse("/lf/").shown(), "/lf/");
        assert_eq!(Asked::parse("/").split(), (Path::new("/"), std::ffi::OsStr::new(".")));
    }
}
