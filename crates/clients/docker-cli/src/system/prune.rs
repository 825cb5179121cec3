//! `docker system prune`.

use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::filter::{self, Filter, Filters};
use crate::output::{self, prune, units};
use crate::verb::{Arity, verb};
use crate::{container, image, network, volume};

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
    prune::ask(args.force, &warning(args, &filters), "system prune")?;
    let mut total = 0;
    let mut tell = |(text, space): (String, u64)| {
        total += space;
        if text.is_empty() { Ok(()) } else { output::line(text) }
    };
    tell(container::prune::delete(app, &filters).await?)?;
    tell((network::prune::delete(app, &filters).await?, 0))?;
    if args.volumes {
        tell(volume::prune::delete(app, &filters).await?)?;
    }
    tell(image::prune::delete(app, args.all, filters).await?)?;
    output::line(format!("Total reclaimed space: {}", units::human_size(total as f64, 4)))
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
    let mut text = format!("This will remove:\n  - {}\n", what.join("\n  - "));
    let filtered = filters.describe();
    if !filtered.is_empty() {
        text += &format!("\n  Items to be pruned will be filtered with:\n  - {}\n", filtered.join("\n  - "));
    }
    text
}
