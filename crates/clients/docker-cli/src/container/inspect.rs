//! `docker container inspect`.

use super::path;
use crate::app::App;
use crate::failure::Outcome;
use crate::flags::format::DocumentFormat;
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    format: DocumentFormat,
    /// Display total file sizes
    #[arg(short, long)]
    size: bool,
}

verb!(
    Args,
    run,
    Arity::AtLeast(1),
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Display detailed information on one or more containers"
);

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let inspector = args.format.inspector()?;
    let client = app.client()?;
    inspector
        .run(names, async |name| Ok(client.get(path(name, "/json")?).flag("size", args.size).bytes().await?))
        .await
}
