//! `docker rmi`, `docker image rm`.

use super::{path, platform_json};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::verb::{Arity, verb};
use serde::Deserialize;

#[derive(Debug, clap::Args)]
struct Args {
    /// Force removal of the image
    #[arg(short, long)]
    force: bool,
    /// Do not delete untagged parents
    #[arg(long)]
    no_prune: bool,
    #[arg(
        long,
        value_name = "strings",
        value_delimiter = ',',
        help = "Remove only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \
                \"linux/amd64\")"
    )]
    platform: Vec<String>,
}

verb!(Args, run, Arity::AtLeast(1), "[OPTIONS] IMAGE [IMAGE...]", "Remove one or more images");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Removed {
    deleted: Option<String>,
    untagged: Option<String>,
}

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let platforms: Vec<String> =
        args.platform.iter().map(|text| platform_json(text)).collect::<Outcome<_>>()?;
    let client = app.client()?;
    let mut errors = Vec::new();
    let mut only_missing = true;
    for name in names {
        let mut request =
            client.delete(path(name, "")).flag("force", args.force).flag("noprune", args.no_prune);
        for platform in &platforms {
            request = request.query("platforms", platform);
        }
        match request.json::<Vec<Removed>>().await {
            Ok(removed) => removed.iter().try_for_each(|one| match (&one.deleted, &one.untagged) {
                (Some(id), _) if !id.is_empty() => output::line(format!("Deleted: {id}")),
                (_, untagged) => {
                    output::line(format!("Untagged: {}", untagged.as_deref().unwrap_or_default()))
                }
            })?,
            Err(error) => {
                only_missing &= error.is_not_found();
                errors.push(Failure::from(error).message);
            }
        }
    }
    match errors.join("\n") {
        text if text.is_empty() => Ok(()),
        // What is to be gone by force and is not there: worth a word, not a failure.
        text if args.force && only_missing => {
            output::stderr(&format!("{text}\n"));
            Ok(())
        }
        text => Err(Failure::new(text)),
    }
}
