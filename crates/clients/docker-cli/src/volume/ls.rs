//! `docker volume ls`.

use crate::app::App;
use crate::failure::Outcome;
use crate::flags::filter::{self, Filter, Filters};
use crate::output::format::{Defaults, Format, given_or_configured, label_method, labels_text};
use crate::output::names::natural;
use crate::output::{self, FORMAT_HELP, units};
use crate::template::Value;
use crate::verb::{Arity, verb};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, clap::Args)]
struct Args {
    #[arg(
        short,
        long,
        value_name = "filter",
        value_parser = filter::parse,
        help = "Provide filter values (e.g. \"dangling=true\")"
    )]
    filter: Vec<Filter>,
    #[arg(long, help = FORMAT_HELP)]
    format: Option<String>,
    /// Only display volume names
    #[arg(short, long)]
    quiet: bool,
}

verb!(Args, run, Arity::None, "[OPTIONS]", "List volumes");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    volumes: Option<Vec<Volume>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Volume {
    name: String,
    driver: String,
    #[serde(default)]
    scope: String,
    #[serde(default)]
    mountpoint: String,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(crate) usage_data: Option<Usage>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Usage {
    pub(crate) ref_count: i64,
    pub(crate) size: i64,
}

pub(crate) const TITLES: [(&str, &str); 10] = [
    ("Availability", "AVAILABILITY"),
    ("Driver", "DRIVER"),
    ("Group", "GROUP"),
    ("Labels", "LABELS"),
    ("Links", "LINKS"),
    ("Mountpoint", "MOUNTPOINT"),
    ("Name", "VOLUME NAME"),
    ("Scope", "SCOPE"),
    ("Size", "SIZE"),
    ("Status", "STATUS"),
];

async fn run(app: &App, args: &Args, _: &[String]) -> Outcome {
    let request = filter::apply(app.client()?.get("/volumes"), &Filters::new(&args.filter));
    let mut volumes = request.json::<Answer>().await?.volumes.unwrap_or_default();
    volumes.sort_by(|a, b| natural(&a.name, &b.name));
    let configured = &app.config().volumes_format;
    let source = given_or_configured(args.format.as_deref(), args.quiet, configured);
    let defaults = Defaults {
        table: "table {{.Driver}}\t{{.Name}}",
        quiet: "{{.Name}}",
        raw: "name: {{.Name}}\\ndriver: {{.Driver}}\\n",
        raw_quiet: "name: {{.Name}}",
        quiet_wins: false,
    };
    let format = Format::choose(source, args.quiet, &defaults)?;
    let rows: Vec<Value> = volumes.iter().map(row).collect();
    output::stdout(&format.rows(&TITLES, &rows)?)
}

pub(crate) fn row(volume: &Volume) -> Value {
    let labels = volume.labels.clone().unwrap_or_default();
    let usage = volume.usage_data.as_ref();
    let or_unknown = |text: Option<String>| Value::from(text.unwrap_or_else(|| "N/A".to_owned()));
    Value::structure(
        "*formatter.volumeContext",
        [
            ("Availability", "N/A".into()),
            ("Driver", volume.driver.as_str().into()),
            ("Group", "N/A".into()),
            ("Labels", labels_text(&labels).into()),
            ("Links", or_unknown(usage.map(|usage| usage.ref_count.to_string()))),
            ("Mountpoint", volume.mountpoint.as_str().into()),
            ("Name", volume.name.as_str().into()),
            ("Scope", volume.scope.as_str().into()),
            ("Size", or_unknown(usage.map(|usage| units::human_size(usage.size as f64, 4)))),
            ("Status", "N/A".into()),
            ("Label", label_method(labels)),
        ],
    )
}
