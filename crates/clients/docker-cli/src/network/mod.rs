//! The verbs of networks, one file each.

pub(crate) mod connect;
pub(crate) mod create;
pub(crate) mod disconnect;
pub(crate) mod inspect;
pub(crate) mod ls;
pub(crate) mod prune;
pub(crate) mod rm;

use crate::output::names;

/// The path of a network's resource.
pub(crate) fn path(name: &str, rest: &str) -> String {
    format!("/networks/{}{rest}", names::path_segment(name))
}
