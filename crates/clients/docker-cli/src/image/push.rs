//! `docker push`.

use super::{auth, check_tags, path, platform_json, pull};
use crate::app::App;
use crate::failure::Outcome;
use crate::output::{self, names};
use crate::progress::{self, To};
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    /// Push all tags of an image to the repository
    #[arg(short, long)]
    all_tags: bool,
    /// Skip image signing
    #[arg(long, default_value = "true")]
    disable_content_trust: Option<bool>,
    #[arg(long, help = PLATFORM_HELP)]
    platform: Option<String>,
    /// Suppress verbose output
    #[arg(short, long)]
    quiet: bool,
}

const PLATFORM_HELP: &str = "Push a platform-specific manifest as a single-platform image to the registry.
Image index won't be pushed, meaning that other manifests, including attestations won't be preserved.
'os[/arch[/variant]]': Explicit platform (eg. linux/amd64)";

verb!(Args, run, Arity::Exactly(1), "[OPTIONS] NAME[:TAG]", "Upload an image to a registry");

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    check_tags(&words[0], args.all_tags, args.quiet)?;
    let (name, tag, _) = names::split_reference(&words[0]);
    let mut request = app.client()?.post(path(names::familiar(name), "/push"));
    if !args.all_tags {
        request = request.query("tag", tag.unwrap_or("latest"));
    }
    if let Some(platform) = &args.platform {
        request = request.query("platform", platform_json(platform)?);
    }
    let response = request.header("X-Registry-Auth", auth::header(app, name)).send().await?;
    progress::show(response, if args.quiet { To::Nowhere } else { To::Stdout }).await?;
    if args.quiet {
        output::line(pull::normalized(&pull::tagged(&words[0])))?;
    }
    Ok(())
}
