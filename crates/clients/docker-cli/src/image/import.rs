//! `docker import`.

use super::load::open;
use crate::app::App;
use crate::failure::Outcome;
use crate::progress::{self, To};
use crate::verb::{Arity, verb};
use engine_client::Upload;

#[derive(Debug, clap::Args)]
struct Args {
    /// Apply Dockerfile instruction to the created image
    #[arg(short, long)]
    change: Vec<String>,
    /// Set commit message for imported image
    #[arg(short, long)]
    message: Option<String>,
    /// Set platform if server is multi-platform capable
    #[arg(long)]
    platform: Option<String>,
}

verb!(
    Args,
    run,
    Arity::AtLeast(1),
    "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
    "Import the contents from a tarball to create a filesystem image"
);

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    let source = words[0].as_str();
    let remote = source.starts_with("http://") || source.starts_with("https://");
    let upload = match source {
        _ if remote => None,
        "-" => Some(Upload::from_reader(std::io::stdin())),
        path => Some(Upload::from_reader(open(path)?)),
    };
    let mut request =
        app.client()?.post("/images/create").query("fromSrc", if remote { source } else { "-" });
    if let Some(reference) = words.get(1) {
        request = request.query("repo", reference);
    }
    for (name, value) in [("message", &args.message), ("platform", &args.platform)] {
        if let Some(value) = value {
            request = request.query(name, value);
        }
    }
    for change in &args.change {
        request = request.query("changes", change);
    }
    let request = match upload {
        Some(upload) => request.upload(upload, "text/plain"),
        None => request,
    };
    progress::show(request.send().await?, To::Stdout).await
}
