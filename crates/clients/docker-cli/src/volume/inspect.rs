//! `docker volume inspect`.

use super::path;
use crate::app::App;
use crate::failure::Outcome;
use crate::output::INSPECT_FORMAT_HELP;
use crate::output::document::Inspector;
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    #[arg(short, long, help = INSPECT_FORMAT_HELP)]
    format: Option<String>,
}

verb!(
    Args,
    run,
    Arity::AtLeast(1),
    "[OPTIONS] VOLUME [VOLUME...]",
    "Display detailed information on one or more volumes"
);

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let inspector = Inspector::new(args.format.as_deref())?;
    let client = app.client()?;
    inspector.run(names, async |name| Ok(client.get(path(name)?).bytes().await?)).await
}
