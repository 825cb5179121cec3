//! `docker load`.

use super::platform_json;
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::env::reason;
use crate::output;
use crate::progress::{self, To};
use crate::terminal::stdin_is_terminal;
use crate::verb::{Arity, verb};
use engine_client::Upload;
use std::fs::File;
use std::io;

#[derive(Debug, clap::Args)]
struct Args {
    /// Read from tar archive file, instead of STDIN
    #[arg(short, long)]
    input: Option<String>,
    #[arg(
        long,
        help = "Load only the given platform variant. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")"
    )]
    platform: Option<String>,
    /// Suppress the load output
    #[arg(short, long)]
    quiet: bool,
}

verb!(Args, run, Arity::None, "[OPTIONS]", "Load an image from a tar archive or STDIN");

async fn run(app: &App, args: &Args, _: &[String]) -> Outcome {
    let upload = match args.input.as_deref().filter(|path| !path.is_empty()) {
        Some(path) => Upload::from_reader(open(path)?),
        None if stdin_is_terminal() => {
            return Err(Failure::new("requested load from stdin, but stdin is empty"));
        }
        None => Upload::from_reader(std::io::stdin()),
    };
    let quiet = args.quiet || !output::stdout_is_terminal();
    let mut request = app.client()?.post("/images/load").query("quiet", if quiet { "1" } else { "0" });
    if let Some(platform) = &args.platform {
        request = request.query("platform", platform_json(platform)?);
    }
    let mut response = request.upload(upload, "application/x-tar").send().await?;
    if response.header("content-type") == Some("application/json") {
        return progress::show(response, To::Stdout).await;
    }
    while let Some(chunk) = response.chunk().await? {
        output::stdout_bytes(&chunk)?;
    }
    Ok(())
}

/// Opens an archive, with Go's wording when it cannot.
pub(super) fn open(path: &str) -> Outcome<File> {
    let failed = |error: io::Error| Failure::new(format!("open {path}: {}", reason(&error)));
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    Ok(file)
}
