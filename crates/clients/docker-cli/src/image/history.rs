//! `docker history`.

use super::{path, platform_json};
use crate::app::App;
use crate::failure::Outcome;
use crate::output::format::{Defaults, Format};
use crate::output::names::{ellipsis, short_id};
use crate::output::{self, FORMAT_HELP, time, units};
use crate::template::Value;
use crate::verb::{Arity, verb};
use serde::Deserialize;

#[derive(Debug, clap::Args)]
struct Args {
    #[arg(long, help = FORMAT_HELP)]
    format: Option<String>,
    /// Print sizes and dates in human readable format
    #[arg(short = 'H', long, default_value = "true")]
    human: Option<bool>,
    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    #[arg(
        long,
        help = "Show history for the given platform. Formatted as \"os[/arch[/variant]]\" (e.g., \"linux/amd64\")"
    )]
    platform: Option<String>,
    /// Only show image IDs
    #[arg(short, long)]
    quiet: bool,
}

verb!(Args, run, Arity::Exactly(1), "[OPTIONS] IMAGE", "Show the history of an image");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Step {
    id: String,
    created: i64,
    created_by: String,
    size: i64,
    #[serde(default)]
    comment: String,
}

const TITLES: [(&str, &str); 6] = [
    ("Comment", "COMMENT"),
    ("CreatedAt", "CREATED AT"),
    ("CreatedBy", "CREATED BY"),
    ("CreatedSince", "CREATED"),
    ("ID", "IMAGE"),
    ("Size", "SIZE"),
];

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    let mut request = app.client()?.get(path(&words[0], "/history"));
    if let Some(platform) = &args.platform {
        request = request.query("platform", platform_json(platform)?);
    }
    let steps: Vec<Step> = request.json().await?;
    let human = args.human != Some(false);
    let defaults = Defaults {
        table: if human {
            "table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
        } else {
            "table {{.ID}}\t{{.CreatedAt}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}"
        },
        quiet: "{{.ID}}",
        raw: "raw",
        raw_quiet: "raw",
        quiet_wins: false,
    };
    let format = Format::choose(args.format.as_deref().unwrap_or_default(), args.quiet, &defaults)?;
    let rows: Vec<Value> = steps.iter().map(|step| row(step, human, !args.no_trunc)).collect();
    output::stdout(&format.rows(&TITLES, &rows)?)
}

/// Steps older than this carry no real date: reproducible builds set it to 0.
const EPOCH: i64 = 946_684_800;

fn row(step: &Step, human: bool, short: bool) -> Value {
    let by = step.created_by.replace('\t', " ");
    let at = time::rfc3339_local(step.created);
    let since = match (human, step.created <= EPOCH) {
        (false, _) => at.clone(),
        (true, true) => "N/A".to_owned(),
        (true, false) => time::ago(step.created),
    };
    let size = if human { units::human_size(step.size as f64, 3) } else { step.size.to_string() };
    Value::structure(
        "*image.historyContext",
        [
            ("Comment", step.comment.as_str().into()),
            ("CreatedAt", at.into()),
            ("CreatedBy", if short { ellipsis(&by, 45) } else { by }.into()),
            ("CreatedSince", since.into()),
            ("ID", if short { short_id(&step.id) } else { &step.id }.into()),
            ("Size", size.into()),
        ],
    )
}
