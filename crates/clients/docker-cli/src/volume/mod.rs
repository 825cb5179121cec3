//! The verbs of volumes, one file each.

pub(crate) mod create;
pub(crate) mod inspect;
pub(crate) mod ls;
pub(crate) mod prune;
pub(crate) mod rm;

use crate::failure::{Failure, Outcome};
use crate::output::names;

/// The path of a volume's resource.
pub(crate) fn path(name: &str) -> Outcome<String> {
    if name.trim().is_empty() {
        return Err(Failure::new("invalid volume name or ID: value is empty"));
    }
    Ok(format!("/volumes/{}", names::path_segment(name)))
}
