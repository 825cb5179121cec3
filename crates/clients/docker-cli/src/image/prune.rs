//! `docker image prune`.

use crate::app::App;
use crate::failure::Outcome;
use crate::flags::filter::{self, Filter, Filters};
use crate::output::{self, prune, units};
use crate::verb::{Arity, verb};
use serde::Deserialize;

#[derive(Debug, clap::Args)]
struct Args {
    /// Remove all unused images, not just dangling ones
    #[arg(short, long)]
    all: bool,
    #[arg(long, value_name = "filter", value_parser = filter::parse, help = prune::FILTER_HELP)]
    filter: Vec<Filter>,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    force: bool,
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
    prune::ask(args.force, warning)?;
    let (text, space) = delete(app, args.all, prune::filters(app, &args.filter)).await?;
    if !text.is_empty() {
        output::line(text)?;
    }
    output::line(format!("Total reclaimed space: {}", units::human_size(space as f64, 4)))
}

/// Does it, and gives the list of what is gone with its size.
pub(crate) async fn delete(app: &App, all: bool, mut filters: Filters) -> Outcome<(String, u64)> {
    filters.add("dangling", if all { "false" } else { "true" });
    let report: Report = filter::apply(app.client()?.post("/images/prune"), &filters).json().await?;
    let removed = report.images_deleted.unwrap_or_default();
    if removed.is_empty() {
        return Ok((String::new(), 0));
    }
    let text = removed.iter().fold("Deleted Images:\n".to_owned(), |text, one| match one.untagged.as_str() {
        "" => text + &format!("deleted: {}\n", one.deleted),
        name => text + &format!("untagged: {name}\n"),
    });
    Ok((text, report.space_reclaimed))
}
