//! `docker volume create`.

use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::env;
use crate::output;
use crate::verb::{Arity, verb};
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, clap::Args)]
struct Args {
    /// Specify volume driver name
    #[arg(short, long, default_value = "local")]
    driver: String,
    /// Set metadata for a volume
    #[arg(long, value_parser = env::label)]
    label: Vec<String>,
    #[arg(long, hide = true)]
    name: Option<String>,
    /// Set driver specific options (default map[])
    #[arg(short, long, value_name = "map")]
    opt: Vec<String>,
}

verb!(Args, run, Arity::AtMost(1), "[OPTIONS] [VOLUME]", "Create a volume");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Created {
    name: String,
}

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    if args.name.is_some() && !names.is_empty() {
        return Err(Failure::new(
            "conflicting options: cannot specify a volume-name through both --name and as a positional arg",
        ));
    }
    let name = args.name.as_ref().or_else(|| names.first()).map_or("", String::as_str);
    let body = json!({
        "Name": name,
        "Driver": args.driver,
        "DriverOpts": env::map(&args.opt),
        "Labels": env::map(&args.label),
    });
    let created: Created = app.client()?.post("/volumes/create").json_body(&body)?.json().await?;
    output::line(created.name)
}
