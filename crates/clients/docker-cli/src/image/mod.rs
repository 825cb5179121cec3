//! The verbs of images, one file each.

pub(crate) mod auth;
pub(crate) mod history;
pub(crate) mod images;
pub(crate) mod import;
pub(crate) mod inspect;
pub(crate) mod load;
pub(crate) mod login;
pub(crate) mod logout;
pub(crate) mod prune;
pub(crate) mod pull;
pub(crate) mod push;
pub(crate) mod rmi;
pub(crate) mod save;
pub(crate) mod search;
pub(crate) mod tag;
mod tree;

use crate::failure::{Failure, Outcome};
use crate::output::{self, names};
use serde_json::json;

/// The path of an image's resource.
pub(crate) fn path(name: &str, rest: &str) -> String {
    format!("/images/{}{rest}", names::path_segment(name))
}

/// `--all-tags` of `pull` and `push` is for bare names; without it these mean `latest`, which is said unless `quiet`.
fn check_tags(reference: &str, all: bool, quiet: bool) -> Outcome {
    if let Err(error) = reference.parse::<oci::Reference>() {
        return Err(Failure::new(error.to_string()));
    }
    let (_, tag, digest) = names::split_reference(reference);
    let bare = tag.is_none() && digest.is_none();
    match (bare, all) {
        (false, true) => Err(Failure::new("tag can't be used with --all-tags/-a")),
        (true, false) if !quiet => output::line("Using default tag: latest"),
        _ => Ok(()),
    }
}

/// `os[/arch[/variant]]` as the API's platform object.
pub(crate) fn platform_json(text: &str) -> Outcome<String> {
    let platform: oci::Platform =
        text.parse().map_err(|error| Failure::new(format!("invalid platform: {error}")))?;
    let mut json = json!({"os": platform.os, "architecture": platform.architecture});
    if !platform.variant.is_empty() {
        json["variant"] = json!(platform.variant);
    }
    Ok(json.to_string())
}
