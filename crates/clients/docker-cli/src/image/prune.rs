//! `docker image prune`.

use crate::app::App;
use crate::failure::Outcome;
use crate::flags::filter::{self, Filters};
use crate::output::prune::{self, PruneFlags, Pruned};
use crate::verb::{Arity, verb};
use serde::Deserialize;

#[derive(Debug, clap::Args)]
struct Args {
    /// Remove all unused images, not just dangling ones
    #[arg(short, long)]
    all: bool,
    #[command(flatten)]
    prune: PruneFlags,
}

verb!(Args, run, Arity::None, "[OPTIONS]", "Remove unused images");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    images_deleted: Option<Vec<Removed>>,
    #[serde(default)]
    space_reclaimed: u64,
}

#[derive(Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[derive(Default)]
struct Removed {
    deleted: String,
    untagged: String,
}

async fn run(app: &App, args: &Args, _: &[String]) -> Outcome {
    let warning = if args.all {
        "This will remove all images without at least one container associated to them."
    } else {
        "This will remove all dangling images."
    };
    prune::ask(args.prune.force, warning)?;
    delete(app, args.all, prune::filters(app, &args.prune.filter)).await?.print()
}

/// Does it, and says what is gone.
pub(crate) async fn delete(app: &App, all: bool, mut filters: Filters) -> Outcome<Pruned> {
    filters.add("dangling", if all { "false" } else { "true" });
    let report: Report = filter::apply(app.client()?.post("/images/prune"), &filters).json().await?;
    let removed = report.images_deleted.unwrap_or_default();
    if removed.is_empty() {
        return Ok(Pruned::default());
    }
    let list = removed.iter().fold("Deleted Images:\n".to_owned(), |text, one| match one.untagged.as_str() {
        "" => text + &format!("deleted: {}\n", one.deleted),
        name => text + &format!("untagged: {name}\n"),
    });
    Ok(Pruned { list, space: report.space_reclaimed })
}
