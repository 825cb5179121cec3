//! `docker network prune`.

use crate::app::App;
use crate::failure::Outcome;
use crate::flags::filter::{self, Filter, Filters};
use crate::output::{self, prune};
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

verb!(Args, run, Arity::None, "[OPTIONS]", "Remove all unused networks");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    networks_deleted: Option<Vec<String>>,
}

async fn run(app: &App, args: &Args, _: &[String]) -> Outcome {
    let warning = "This will remove all custom networks not used by at least one container.";
    prune::ask(args.force, warning)?;
    let text = delete(app, &prune::filters(app, &args.filter)).await?;
    if text.is_empty() { Ok(()) } else { output::line(text) }
}

/// Does it, and gives the list of what is gone.
pub(crate) async fn delete(app: &App, filters: &Filters) -> Outcome<String> {
    let report: Report = filter::apply(app.client()?.post("/networks/prune"), filters).json().await?;
    let deleted = report.networks_deleted.unwrap_or_default();
    if deleted.is_empty() {
        return Ok(String::new());
    }
    Ok(format!("Deleted Networks:\n{}\n", deleted.join("\n")))
}
