//! `docker network inspect`.

use super::path;
use crate::app::App;
use crate::failure::Outcome;
use crate::flags::format::DocumentFormat;
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    format: DocumentFormat,
    /// Verbose output for diagnostics
    #[arg(short, long)]
    verbose: bool,
}

verb!(
    Args,
    run,
    Arity::AtLeast(1),
    "[OPTIONS] NETWORK [NETWORK...]",
    "Display detailed information on one or more networks"
);

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let inspector = args.format.inspector()?;
    let client = app.client()?;
    let fetch = async |name: &str| {
        let request = client.get(path(name, ""));
        let request = if args.verbose { request.query("verbose", "true") } else { request };
        Ok(request.bytes().await?)
    };
    inspector.run(names, fetch).await
}
