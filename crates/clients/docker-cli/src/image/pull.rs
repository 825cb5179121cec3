//! `docker pull`, and the pull that `run` and `create` begin with.

use super::{auth, check_tags};
use crate::app::App;
use crate::failure::Outcome;
use crate::output::{self, names};
use crate::progress::{self, To};
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    /// Download all tagged images in the repository
    #[arg(short, long)]
    all_tags: bool,
    /// Skip image verification
    #[arg(long, default_value = "true")]
    disable_content_trust: Option<bool>,
    /// Set platform if server is multi-platform capable
    #[arg(long)]
    platform: Option<String>,
    /// Suppress verbose output
    #[arg(short, long)]
    quiet: bool,
}

verb!(Args, run, Arity::Exactly(1), "[OPTIONS] NAME[:TAG|@DIGEST]", "Download an image from a registry");

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    check_tags(&words[0], args.all_tags, args.quiet)?;
    let reference = if args.all_tags { words[0].clone() } else { tagged(&words[0]) };
    let to = if args.quiet { To::Nowhere } else { To::Stdout };
    let platform = args.platform.clone().or_else(default_platform).unwrap_or_default();
    fetch(app, &reference, &platform, to).await?;
    output::line(normalized(&reference))
}

/// `DOCKER_DEFAULT_PLATFORM`.
pub(crate) fn default_platform() -> Option<String> {
    std::env::var("DOCKER_DEFAULT_PLATFORM").ok().filter(|value| !value.is_empty())
}

/// The reference with a tag, `latest` when it has none.
pub(crate) fn tagged(reference: &str) -> String {
    match names::split_reference(reference) {
        (_, None, None) => format!("{reference}:latest"),
        _ => reference.to_owned(),
    }
}

/// The reference with its registry: `docker.io/library/busybox:latest`.
pub(crate) fn normalized(reference: &str) -> String {
    match reference.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => reference.to_owned(),
        Some(_) => format!("docker.io/{reference}"),
        None => format!("docker.io/library/{reference}"),
    }
}

/// The pull of an image that a container is to be made from; progress goes to standard error.
pub(crate) async fn for_container(app: &App, image: &str, platform: &str, quiet: bool) -> Outcome {
    fetch(app, &tagged(image), platform, if quiet { To::Nowhere } else { To::Stderr }).await
}

async fn fetch(app: &App, reference: &str, platform: &str, to: To) -> Outcome {
    let (name, tag, digest) = names::split_reference(reference);
    let mut request = app.client()?.post("/images/create").query("fromImage", normalized(name));
    if let Some(tag) = digest.or(tag) {
        request = request.query("tag", tag);
    }
    if !platform.is_empty() {
        request = request.query("platform", platform.to_lowercase());
    }
    let response = request.header("X-Registry-Auth", auth::header(app, reference)).send().await?;
    progress::show(response, to).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references() {
        assert_eq!(tagged("h:5000/a"), "h:5000/a:latest");
        assert_eq!(tagged("a@sha256:0"), "a@sha256:0");
        assert_eq!(normalized("busybox"), "docker.io/library/busybox");
        assert_eq!(normalized("me/app"), "docker.io/me/app");
        assert_eq!(normalized("h.io/app"), "h.io/app");
    }
}
