//! `docker container prune`.

use crate::app::App;
use crate::failure::Outcome;
use crate::flags::filter::{self, Filter, Filters};
use crate::output::{self, prune, units};
use crate::verb::{Arity, verb};
use serde::Deserialize;

#[derive(Debug, clap::Args)]
struct Args {
    #[arg(long, value_name = "filter", value_parser = filter::parse, help = prune::FILTER_HELP)]
    filter: Vec<Filter>,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    force: bool,
}

verb!(Args, run, Arity::None, "[OPTIONS]", "Remove all stopped containers");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    containers_deleted: Option<Vec<String>>,
    #[serde(default)]
    space_reclaimed: u64,
}

async fn run(app: &App, args: &Args, _: &[String]) -> Outcome {
    prune::ask(args.force, "This will remove all stopped containers.")?;
    let (text, space) = delete(app, &prune::filters(app, &args.filter)).await?;
    if !text.is_empty() {
        output::line(text)?;
    }
    output::line(format!("Total reclaimed space: {}", units::human_size(space as f64, 4)))
}

/// Does it, and gives the list of what is gone with its size.
pub(crate) async fn delete(app: &App, filters: &Filters) -> Outcome<(String, u64)> {
    let request = filter::apply(app.client()?.post("/containers/prune"), filters);
    let report: Report = request.json().await?;
    let deleted = report.containers_deleted.unwrap_or_default();
    if deleted.is_empty() {
        return Ok((String::new(), 0));
    }
    Ok((format!("Deleted Containers:\n{}\n", deleted.join("\n")), report.space_reclaimed))
}
