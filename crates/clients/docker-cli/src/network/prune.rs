//! `docker network prune`.

use crate::app::App;
use crate::failure::Outcome;
use crate::flags::filter::{self, Filters};
use crate::output::prune::{self, PruneFlags, Pruned};
use crate::verb::{Arity, verb};
use serde::Deserialize;

verb!(PruneFlags, run, Arity::None, "[OPTIONS]", "Remove all unused networks");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    networks_deleted: Option<Vec<String>>,
}

async fn run(app: &App, args: &PruneFlags, _: &[String]) -> Outcome {
    let warning = "This will remove all custom networks not used by at least one container.";
    prune::ask(args.force, warning)?;
    delete(app, &prune::filters(app, &args.filter)).await?.print_list()
}

/// Does it, and says what is gone.
pub(crate) async fn delete(app: &App, filters: &Filters) -> Outcome<Pruned> {
    let report: Report = filter::apply(app.client()?.post("/networks/prune"), filters).json().await?;
    Ok(Pruned::of("Deleted Networks", report.networks_deleted.as_deref(), 0))
}
