//! Where what is copied goes, by what is at its source and what at its target: the rules of docker's manual.

use super::{base, parent_of};
use crate::failure::{Failure, Outcome};

/// What is to be copied.
#[derive(Debug, Clone)]
pub(super) struct Source {
    /// Its name; empty: what is in a directory, without the directory.
    pub(super) name: String,
    pub(super) is_dir: bool,
}

impl Source {
    /// Of a path that may end with a dot; a link that was followed keeps its name.
    pub(super) fn new(path: &str, is_dir: bool) -> Self {
        let (name, contents) = base(path);
        Self { name: if contents { String::new() } else { name }, is_dir }
    }
}

/// What is at the target's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Nothing,
    File,
    Directory,
}

/// A directory, and the name that the source gets in it; empty: its content is put there without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) directory: String,
    pub(super) name: String,
}

impl Place {
    /// # Errors
    /// When a directory would have to become a file, or a file a directory.
    pub(super) fn choose(source: &Source, path: &str, there: Target) -> Outcome<Self> {
        let refused = |why: &str| Err(Failure::new(why));
        match there {
            Target::Directory => Ok(Self { directory: path.to_owned(), name: source.name.clone() }),
            Target::File if source.is_dir => refused("cannot copy directory"),
            Target::Nothing if !source.is_dir && means_directory(path) => refused("no such directory"),
            Target::File | Target::Nothing => Ok(Self { directory: parent_of(path), name: base(path).0 }),
        }
    }
}

/// Whether a path can only be one of a directory.
fn means_directory(path: &str) -> bool {
    path.is_empty() || path.ends_with('/') || path.ends_with("/.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_combination_of_the_manual() {
        let choose = |source: &str, is_dir, path: &str, there| {
            let place = Place::choose(&Source::new(source, is_dir), path, there);
            place
                .map(|place| format!("{} {}", place.directory, place.name))
                .map_err(|failure| failure.message)
        };
        let table = [
            ("/s/f", false, "/d", Target::Directory, Ok("/d f")),
            ("/s/f", false, "/d/f2", Target::File, Ok("/d f2")),
            ("/s/f", false, "/d/new", Target::Nothing, Ok("/d new")),
            ("/s/f", false, "/d/new/", Target::Nothing, Err("no such directory")),
            ("/s", true, "/d", Target::Directory, Ok("/d s")),
            ("/s/.", true, "/d", Target::Directory, Ok("/d ")),
            ("/s", true, "/d/new", Target::Nothing, Ok("/d new")),
            ("/s/.", true, "/d/new/", Target::Nothing, Ok("/d new")),
            ("/s", true, "/d/f", Target::File, Err("cannot copy directory")),
        ];
        for (source, is_dir, path, there, expected) in table {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(choose(source, is_dir, path, there), expected, "{source} {path} {there:?}");
        }
    }
}
