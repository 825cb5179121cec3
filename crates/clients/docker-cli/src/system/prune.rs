//! `docker system prune`.

use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::filter::{self, Filter, Filters};
use crate::output::prune::{self, Pruned};
use crate::verb::{Arity, verb};
use crate::{container, image, network, volume};
use serde::Deserialize;

#[derive(Debug, clap::Args)]
struct Args {
    /// Remove all unused images not just dangling ones
    #[arg(short, long)]
    all: bool,
    #[arg(
        long,
        value_name = "filter",
        value_parser = filter::parse,
        help = "Provide filter values (e.g. \"label=<key>=<value>\")"
    )]
    filter: Vec<Filter>,
    /// Do not prompt for confirmation
    #[arg(short, long)]
    force: bool,
    /// Prune anonymous volumes
    #[arg(long)]
    volumes: bool,
}

verb!(Args, run, Arity::None, "[OPTIONS]", "Remove unused data");

async fn run(app: &App, args: &Args, _: &[String]) -> Outcome {
    let filters = prune::filters(app, &args.filter);
    if args.volumes && filters.contains("until") {
        return Err(Failure::new("ERROR: The \"until\" filter is not supported with \"--volumes\""));
    }
    prune::ask(args.force, &warning(args, &filters))?;
    let mut total = 0;
    let mut tell = |pruned: Pruned| {
        total += pruned.space;
        pruned.print_list()
    };
    tell(container::prune::delete(app, &filters).await?)?;
    tell(network::prune::delete(app, &filters).await?)?;
    if args.volumes {
        tell(volume::prune::delete(app, &filters).await?)?;
    }
    tell(image::prune::delete(app, args.all, filters.clone()).await?)?;
    tell(build_cache(app, args.all, &filters).await?)?;
    prune::print_total(total)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Cache {
    caches_deleted: Option<Vec<String>>,
    #[serde(default)]
    space_reclaimed: u64,
}

/// The builder's cache; a daemon without a builder has none.
async fn build_cache(app: &App, all: bool, filters: &Filters) -> Outcome<Pruned> {
    let request = filter::apply(app.client()?.post("/build/prune").flag("all", all), filters);
    let cache: Cache = match request.json().await {
        Err(engine_client::Error::Api { status: 404 | 501, .. }) => return Ok(Pruned::default()),
        result => result?,
    };
    Ok(Pruned::of("Deleted build cache objects", cache.caches_deleted.as_deref(), cache.space_reclaimed))
}

fn warning(args: &Args, filters: &Filters) -> String {
    let mut what = vec!["all stopped containers", "all networks not used by at least one container"];
    if args.volumes {
        what.push("all anonymous volumes not used by at least one container");
    }
    what.push(if args.all {
        "all images without at least one container associated to them"
    } else {
        "all dangling images"
    });
    what.push(if args.all { "all build cache" } else { "unused build cache" });
    let mut text = format!("This will remove:\n  - {}\n", what.join("\n  - "));
    let filtered = filters.describe();
    if !filtered.is_empty() {
        text += &format!("\n  Items to be pruned will be filtered with:\n  - {}\n", filtered.join("\n  - "));
    }
    text
}
