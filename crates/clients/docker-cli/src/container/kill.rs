//! `docker kill`.

use super::{for_each, path};
use crate::app::App;
use crate::failure::Outcome;
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    /// Signal to send to the container
    #[arg(short, long)]
    signal: Option<String>,
}

verb!(
    Args,
    run,
    Arity::AtLeast(1),
    "[OPTIONS] CONTAINER [CONTAINER...]",
    "Kill one or more running containers"
);

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let client = app.client()?;
    for_each(names, async |name| {
        let mut request = client.post(path(name, "/kill")?);
        if let Some(signal) = &args.signal {
            request = request.query("signal", signal);
        }
        request.done().await?;
        Ok(())
    })
    .await
}
