//! `docker search`.

use super::auth;
use crate::app::App;
use crate::failure::Outcome;
use crate::flags::filter::{self, Filter, Filters};
use crate::output;
use crate::output::format::{Defaults, Format};
use crate::output::names::ellipsis;
use crate::template::Value;
use crate::verb::{Arity, verb};
use serde::Deserialize;

#[derive(Debug, clap::Args)]
struct Args {
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<Filter>,
    /// Pretty-print search using a Go template
    #[arg(long)]
    format: Option<String>,
    /// Max number of search results
    #[arg(long)]
    limit: Option<i64>,
    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,
}

verb!(Args, run, Arity::Exactly(1), "[OPTIONS] TERM", "Search Docker Hub for images");

#[derive(Deserialize)]
struct Found {
    name: String,
    #[serde(default)]
    description: String,
    #[serde(default)]
    star_count: i64,
    #[serde(default)]
    is_official: bool,
}

const TITLES: [(&str, &str); 4] =
    [("Description", "DESCRIPTION"), ("IsOfficial", "OFFICIAL"), ("Name", "NAME"), ("StarCount", "STARS")];

async fn run(app: &App, args: &Args, words: &[String]) -> Outcome {
    let mut request = app.client()?.get("/images/search").query("term", &words[0]);
    if let Some(limit) = args.limit.filter(|limit| *limit > 0) {
        request = request.query("limit", limit.to_string());
    }
    let request = filter::apply(request, &Filters::new(&args.filter));
    let found: Vec<Found> = request.header("X-Registry-Auth", auth::header(app, &words[0])).json().await?;
    let table = "table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}";
    let defaults = Defaults { table, quiet: table, raw: "raw", raw_quiet: "raw", quiet_wins: false };
    let format = Format::choose(args.format.as_deref().unwrap_or_default(), false, &defaults)?;
    let rows: Vec<Value> = found.iter().map(|one| row(one, !args.no_trunc)).collect();
    output::stdout(&format.rows(&TITLES, &rows)?)
}

fn row(found: &Found, short: bool) -> Value {
    let description = found.description.replace(['\n', '\r'], " ");
    Value::structure(
        "*registry.searchContext",
        [
            ("Description", if short { ellipsis(&description, 45) } else { description }.into()),
            ("IsOfficial", if found.is_official { "[OK]" } else { "" }.into()),
            ("Name", found.name.as_str().into()),
            ("StarCount", found.star_count.to_string().into()),
        ],
    )
}
