//! `docker save`.

use super::platform_json;
use crate::app::App;
use crate::failure::Outcome;
use crate::output::archive::Target;
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    /// Write to a file, instead of STDOUT
    #[arg(short, long)]
    output: Option<String>,
    #[arg(
        long,
        help = "Save only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")"
    )]
    platform: Option<String>,
}

verb!(
    Args,
    run,
    Arity::AtLeast(1),
    "[OPTIONS] IMAGE [IMAGE...]",
    "Save one or more images to a tar archive (streamed to STDOUT by default)"
);

async fn run(app: &App, args: &Args, names: &[String]) -> Outcome {
    let target = Target::open(args.output.as_deref())?;
    let mut request = app.client()?.get("/images/get");
    for name in names {
        request = request.query("names", name);
    }
    if let Some(platform) = &args.platform {
        request = request.query("platform", platform_json(platform)?);
    }
    target.receive_from(request).await
}
