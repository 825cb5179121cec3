//! Limits: what a specification's `linux.resources` (OCI runtime specification, "Control groups") means on each version.

mod devices;
mod v1;
mod v2;

use crate::error::{Error, Result};
use crate::files;
use crate::group::{Cgroup, Place};
use oci_spec::runtime::LinuxResources;
use std::fmt::Display;
use std::path::Path;

/// No limit, where a specification has a number.
const UNLIMITED: i64 = -1;

impl Cgroup {
    /// Sets the limits that are given, and leaves the others.
    ///
    /// # Errors
    /// [`Error::NoController`] or [`Error::Limit`] for what this host can't do, [`Error::File`] for what the kernel refuses.
    /// Limits that were set before stay.
    pub fn limit(&self, resources: &LinuxResources) -> Result<()> {
        match &self.place {
            Place::V1 { .. } => v1::limit(self, resources),
            Place::V2(directory) => v2::limit(directory, resources),
        }
    }
}

fn set(directory: &Path, file: &str, value: impl Display) -> Result<()> {
    files::write(&directory.join(file), &value.to_string())
}

/// Where the value is something to be set: zero stands for nothing in most of a specification's fields.
fn set_some<T: Display + PartialEq + Default>(directory: &Path, file: &str, value: Option<T>) -> Result<()> {
    match value {
        Some(value) if value != T::default() => set(directory, file, value),
        _ => Ok(()),
    }
}

fn refused(limit: &'static str, problem: impl Into<String>) -> Error {
    Error::Limit { limit, problem: problem.into() }
}
