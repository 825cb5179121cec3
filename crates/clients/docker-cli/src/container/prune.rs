//! `docker container prune`.

use crate::app::App;
use crate::failure::Outcome;
use crate::flags::filter::{self, Filters};
use crate::output::prune::{self, PruneFlags, Pruned};
use crate::verb::{Arity, verb};
use serde::Deserialize;

verb!(PruneFlags, run, Arity::None, "[OPTIONS]", "Remove all stopped containers");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Report {
    containers_deleted: Option<Vec<String>>,
    #[serde(default)]
    space_reclaimed: u64,
}

async fn run(app: &App, args: &PruneFlags, _: &[String]) -> Outcome {
    prune::ask(args.force, "This will remove all stopped containers.")?;
    delete(app, &prune::filters(app, &args.filter)).await?.print()
}

/// Does it, and says what is gone.
pub(crate) async fn delete(app: &App, filters: &Filters) -> Outcome<Pruned> {
    let request = filter::apply(app.client()?.post("/containers/prune"), filters);
    let report: Report = request.json().await?;
    Ok(Pruned::of("Deleted Containers", report.containers_deleted.as_deref(), report.space_reclaimed))
}
