//! `docker volume prune`.

use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::filter::{self, Filter, Filters};
use crate::output::prune::{self, Pruned};
use crate::verb::{Arity, verb};
use serde::Deserialize;

#[derive(Debug, clap::Args)]
struct Args {
    /// Remove all unused volumes, not just anonymous ones
    #[arg(short, long)]
    all: bool,
    #[arg(
        long,
        value_name = "filter",
        value_parser = filter::parse,
        help = "Provide filter values (e.g. \"label=<label>\")"
    )]
    filter: Vec<Filter>,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    force: bool,
}

verb!(Args, run, Arity::None, "[OPTIONS]", "Remove unused local volumes");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    volumes_deleted: Option<Vec<String>>,
    #[serde(default)]
    space_reclaimed: u64,
}

async fn run(app: &App, args: &Args, _: &[String]) -> Outcome {
    let mut filters = prune::filters(app, &args.filter);
    let warning = if args.all {
        if filters.contains("all") {
            let text = "conflicting options: cannot specify both --all and --filter all=1";
            return Err(Failure::new(text));
        }
        filters.add("all", "true");
        "This will remove all local volumes not used by at least one container."
    } else {
        "This will remove anonymous local volumes not used by at least one container."
    };
    prune::ask(args.force, warning)?;
    delete(app, &filters).await?.print()
}

/// Does it, and says what is gone.
pub(crate) async fn delete(app: &App, filters: &Filters) -> Outcome<Pruned> {
    let report: Report = filter::apply(app.client()?.post("/volumes/prune"), filters).json().await?;
    Ok(Pruned::of("Deleted Volumes", report.volumes_deleted.as_deref(), report.space_reclaimed))
}
