//! `docker commit`.

use crate::app::App;
use crate::failure::Outcome;
use crate::image::pull;
use crate::output::{self, names};
use crate::verb::{Arity, verb};
use serde::Deserialize;
use serde_json::json;

#[derive(Debug, clap::Args)]
struct Args {
    /// Author (e.g., "John Hannibal Smith <hannibal@a-team.com>")
    #[arg(short, long)]
    author: Option<String>,
    /// Apply Dockerfile instruction to the created image
    #[arg(short, long)]
    change: Vec<String>,
    /// Commit message
    #[arg(short, long)]
    message: Option<String>,
    /// Pause container during commit
    #[arg(short, long, default_value = "true")]
    pause: Option<bool>,
}

verb!(
    Args,
    run,
    Arity::Between(1, 2),
    "[OPTIONS] CONTAINER [REPOSITORY[:TAG]]",
    "Create a new image from a container's changes"
);

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Id")]
    id: String,
}

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    let reference = words.get(1).map_or("", String::as_str);
    let (name, tag, _) = names::split_reference(reference);
    let mut request = app.client()?.post("/commit").query("container", &words[0]);
    if !reference.is_empty() {
        request = request.query("repo", pull::normalized(name)).query("tag", tag.unwrap_or("latest"));
    }
    let optional = [("author", &args.author), ("comment", &args.message)];
    for (parameter, value) in optional {
        if let Some(value) = value {
            request = request.query(parameter, value);
        }
    }
    for change in &args.change {
        request = request.query("changes", change);
    }
    if args.pause == Some(false) {
        request = request.query("pause", "0");
    }
    let answer: Answer = request.json_body(&json!({}))?.json().await?;
    output::line(answer.id)
}
