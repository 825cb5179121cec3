//! `docker network rm`.

use super::path;
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    /// Do not error if the network does not exist
    #[arg(short, long)]
    force: bool,
}

verb!(Args, run, Arity::AtLeast(1), "NETWORK [NETWORK...]", "Remove one or more networks");

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let client = app.client()?;
    let mut failed = false;
    for name in names {
        match client.delete(path(name, "")).done().await {
            Ok(_) => output::line(name)?,
            Err(error) if args.force && error.is_not_found() => {}
            Err(error) => {
                output::stderr(&format!("{}\n", Failure::from(error).message));
                failed = true;
            }
        }
    }
    if failed { Err(Failure::new("exit status 1")) } else { Ok(()) }
}
