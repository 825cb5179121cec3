//! `docker volume inspect`.

use super::path;
use crate::app::App;
use crate::failure::Outcome;
use crate::flags::format::DocumentFormat;
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    format: DocumentFormat,
}

verb!(
    Args,
    run,
    Arity::AtLeast(1),
    "[OPTIONS] VOLUME [VOLUME...]",
    "Display detailed information on one or more volumes"
);

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let inspector = args.format.inspector()?;
    let client = app.client()?;
    inspector.run(names, async |name| Ok(client.get(path(name)?).bytes().await?)).await
}
