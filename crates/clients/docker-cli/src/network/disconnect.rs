//! `docker network disconnect`.

use super::path;
use crate::app::App;
use crate::failure::Outcome;
use crate::verb::{Arity, verb};
use serde_json::json;

#[derive(Debug, clap::Args)]
struct Args {
    /// Force the container to disconnect from a network
    #[arg(short, long)]
    force: bool,
}

verb!(Args, run, Arity::Exactly(2), "[OPTIONS] NETWORK CONTAINER", "Disconnect a container from a network");

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    let body = json!({"Container": words[1], "Force": args.force});
    app.client()?.post(path(&words[0], "/disconnect")).json_body(&body)?.done().await?;
    Ok(())
}
