//! `docker network ls`.

use crate::app::App;
use crate::failure::Outcome;
use crate::flags::filter::{self, Filter, Filters};
use crate::output::format::{Defaults, Format, given_or_configured, label_method, labels_text};
use crate::output::names::short_id;
use crate::output::{self, FORMAT_HELP, time};
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
        help = "Provide filter values (e.g. \"driver=bridge\")"
    )]
    filter: Vec<Filter>,
    #[arg(long, help = FORMAT_HELP)]
    format: Option<String>,
    /// Do not truncate the output
    #[arg(long)]
    no_trunc: bool,
    /// Only display network IDs
    #[arg(short, long)]
    quiet: bool,
}

verb!(Args, run, Arity::None, "[OPTIONS]", "List networks");

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Network {
    id: String,
    name: String,
    driver: String,
    scope: String,
    #[serde(default)]
    created: String,
    #[serde(default, rename = "EnableIPv4")]
    ipv4: bool,
    #[serde(default, rename = "EnableIPv6")]
    ipv6: bool,
    #[serde(default)]
    internal: bool,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
}

const TITLES: [(&str, &str); 9] = [
    ("CreatedAt", "CREATED AT"),
    ("Driver", "DRIVER"),
    ("ID", "NETWORK ID"),
    ("IPv4", "IPV4"),
    ("IPv6", "IPV6"),
    ("Internal", "INTERNAL"),
    ("Labels", "LABELS"),
    ("Name", "NAME"),
    ("Scope", "SCOPE"),
];

async fn run(app: &App, args: &Args, _: &[String]) -> Outcome {
    let request = filter::apply(app.client()?.get("/networks"), &Filters::new(&args.filter));
    let mut networks: Vec<Network> = request.json().await?;
    networks.sort_by(|a, b| output::names::natural(&a.name, &b.name));
    let configured = &app.config().networks_format;
    let source = given_or_configured(args.format.as_deref(), args.quiet, configured);
    let defaults = Defaults {
        table: "table {{.ID}}\t{{.Name}}\t{{.Driver}}\t{{.Scope}}",
        quiet: "{{.ID}}",
        raw: "network_id: {{.ID}}\\nname: {{.Name}}\\ndriver: {{.Driver}}\\nscope: {{.Scope}}\\n",
        raw_quiet: "network_id: {{.ID}}",
        quiet_wins: false,
    };
    let format = Format::choose(source, args.quiet, &defaults)?;
    let rows: Vec<Value> = networks.iter().map(|network| row(network, !args.no_trunc)).collect();
    output::stdout(&format.rows(&TITLES, &rows)?)
}

fn row(network: &Network, short: bool) -> Value {
    let labels = network.labels.clone().unwrap_or_default();
    let text = |on: bool| Value::from(if on { "true" } else { "false" });
    Value::structure(
        "*network.networkContext",
        [
            ("CreatedAt", time::go_time(&network.created).into()),
            ("Driver", network.driver.as_str().into()),
            ("ID", if short { short_id(&network.id) } else { &network.id }.into()),
            ("IPv4", text(network.ipv4)),
            ("IPv6", text(network.ipv6)),
            ("Internal", text(network.internal)),
            ("Labels", labels_text(&labels).into()),
            ("Name", network.name.as_str().into()),
            ("Scope", network.scope.as_str().into()),
            ("Label", label_method(labels)),
        ],
    )
}
