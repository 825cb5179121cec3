//! `docker export`.

use super::path;
use crate::app::App;
use crate::failure::Outcome;
use crate::output;
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    /// Write to a file, instead of STDOUT
    #[arg(short, long)]
    output: Option<String>,
}

verb!(
    Args,
    run,
    Arity::Exactly(1),
    "[OPTIONS] CONTAINER",
    "Export a container's filesystem as a tar archive"
);

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let target = output::archive::Target::open(args.output.as_deref())?;
    target.receive_from(app.client()?.get(path(&names[0], "/export")?)).await
}
