//! `cp`: files of a container as archives, out of it and into it.
//!
//! Paths are taken as the container takes them: relative to its root, through its symbolic links, its volumes and bind
//! mounts. What it has mounted itself, and file systems in memory, are not seen, as with docker.

mod files;
mod get;
mod lookup;
mod path;
mod places;
mod put;
mod stat;

pub(super) use files::Files;
pub use get::{Get, get};
pub use put::{Put, put};
pub use stat::{PathStat, stat};

use errors::{Class, Error};

/// What docker says of a path that is not there.
fn no_such_file(path: &str, reference: &str) -> Error {
    Error::new(Class::NotFound, format!("Could not find the file {path} in container {reference}"))
}
