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
    let mut parts = text.split('/');
    let (os, architecture, variant) = (parts.next(), parts.next(), parts.next());
    let valid =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c));
    if parts.next().is_some() || !text.split('/').all(valid) {
        return Err(Failure::new(format!(
            "invalid platform: {text:?} is an invalid OS/architecture specifier"
        )));
    }
    let mut platform =
        json!({"os": os.unwrap_or_default(), "architecture": architecture.unwrap_or_default()});
    if let Some(variant) = variant {
        platform["variant"] = json!(variant);
    }
    Ok(platform.to_string())
}
