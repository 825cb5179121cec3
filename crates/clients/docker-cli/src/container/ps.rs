//! `docker ps`, `docker container ls`.

use super::ports_text::{self, Port};
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::flags::filter::{self, Filter, Filters};
use crate::output::format::{Defaults, Format, label_method, labels_text};
use crate::output::names::{ellipsis, familiar, quote, short_id, split_reference};
use crate::output::{self, FORMAT_HELP, time, units};
use crate::template::Value;
use crate::verb::{Arity, verb};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Debug, clap::Args)]
struct Args {
    /// Show all containers (default shows just running)
    #[arg(short, long)]
    all: bool,
    /// Filter output based on conditions provided
    #[arg(short, long, value_name = "filter", value_parser = filter::parse)]
    filter: Vec<Filter>,
    #[arg(long, help = FORMAT_HELP)]
    format: Option<String>,
    /// Show n last created containers (includes all states)
    #[arg(short = 'n', long, default_value = "-1")]
    last: i64,
    /// Show the latest created container (includes all states)
    #[arg(short, long)]
    latest: bool,
    /// Don't truncate output
    #[arg(long)]
    no_trunc: bool,
    /// Only display container IDs
    #[arg(short, long)]
    quiet: bool,
    /// Display total file sizes
    #[arg(short, long)]
    size: Option<bool>,
}

verb!(Args, run, Arity::None, "[OPTIONS]", "List containers");

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Summary {
    id: String,
    #[serde(default)]
    names: Vec<String>,
    image: String,
    #[serde(default, rename = "ImageID")]
    image_id: String,
    command: String,
    created: i64,
    #[serde(default)]
    ports: Vec<Port>,
    #[serde(default)]
    labels: Option<BTreeMap<String, String>>,
    pub(crate) state: String,
    status: String,
    #[serde(default)]
    pub(crate) size_rw: i64,
    #[serde(default)]
    size_root_fs: i64,
    #[serde(default)]
    mounts: Vec<Mount>,
    #[serde(default)]
    network_settings: Option<Networks>,
}

#[derive(Deserialize)]
#[serde(default, rename_all = "PascalCase")]
#[derive(Default)]
struct Mount {
    name: String,
    source: String,
    driver: String,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Networks {
    networks: Option<BTreeMap<String, serde::de::IgnoredAny>>,
}

const TABLE: &str =
    "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}";
const RAW: &str = "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\ncreated_at: {{.CreatedAt}}\n\
    state: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\nnames: {{.Names}}\nlabels: {{- pad .Labels 1 0}}\n\
    ports: {{- pad .Ports 1 0}}\n";

pub(crate) const TITLES: [(&str, &str); 15] = [
    ("Command", "COMMAND"),
    ("CreatedAt", "CREATED AT"),
    ("ID", "CONTAINER ID"),
    ("Image", "IMAGE"),
    ("Labels", "LABELS"),
    ("LocalVolumes", "LOCAL VOLUMES"),
    ("Mounts", "MOUNTS"),
    ("Names", "NAMES"),
    ("Networks", "NETWORKS"),
    ("Platform", "PLATFORM"),
    ("Ports", "PORTS"),
    ("RunningFor", "CREATED"),
    ("Size", "SIZE"),
    ("State", "STATE"),
    ("Status", "STATUS"),
];

async fn run(app: &App, args: &Args, _: &[String]) -> Outcome {
    let source = match &args.format {
        Some(format) => {
            if args.quiet {
                output::warn("Ignoring custom format, because both --format and --quiet are set.");
            }
            format.clone()
        }
        None => app.config().ps_format.clone(),
    };
    let mut size = args.size.unwrap_or(false);
    // Sizes cost the daemon a walk over the disk: they are asked for only where they are shown.
    if args.size.is_none() && !args.quiet && args.format.is_some() {
        size = Format::parse(&source).is_ok_and(|format| format.mentions("Size"));
    }
    let format = format(&source, args.quiet, size).map_err(|failure| reworded(&failure, "parse"))?;
    if args.format.is_some() {
        // A template that cannot work is refused also where there is nothing to list.
        let sample = row(&Summary::default(), &FIELDS, true, true);
        format.rows(&TITLES, &[sample]).map_err(|failure| reworded(&failure, "execute"))?;
    }
    let mut request = app.client()?.get("/containers/json").flag("all", args.all);
    let last = if args.latest && args.last == -1 { 1 } else { args.last };
    if last > 0 {
        request = request.query("limit", last.to_string());
    }
    let request = filter::apply(request.flag("size", size), &Filters::new(&args.filter));
    let containers: Vec<Summary> = request.json().await?;
    let fields = FIELDS.into_iter().filter(|(name, _)| format.may_show(name)).collect::<Vec<_>>();
    let rows = containers.iter().map(|summary| row(summary, &fields, !args.no_trunc, true));
    output::stdout(&format.rows(&TITLES, rows)?)
}

/// Here docker says what it was doing with the template.
fn reworded(failure: &Failure, doing: &str) -> Failure {
    let text = failure.message.strip_prefix("template parsing error: ").unwrap_or(&failure.message);
    Failure::new(format!("failed to {doing} template: {text}"))
}

fn format(source: &str, quiet: bool, size: bool) -> Outcome<Format> {
    let defaults = Defaults {
        table: if size { concat_size::TABLE } else { TABLE },
        quiet: "{{.ID}}",
        raw: if size { concat_size::RAW } else { RAW },
        raw_quiet: "container_id: {{.ID}}",
        quiet_wins: true,
    };
    Format::choose(source, quiet, &defaults)
}

/// The same templates with the size behind.
mod concat_size {
    pub(super) const TABLE: &str = "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t\
        {{.Ports}}\t{{.Names}}\t{{.Size}}";
    pub(super) const RAW: &str = "container_id: {{.ID}}\nimage: {{.Image}}\ncommand: {{.Command}}\n\
        created_at: {{.CreatedAt}}\nstate: {{- pad .State 1 0}}\nstatus: {{- pad .Status 1 0}}\nnames: {{.Names}}\n\
        labels: {{- pad .Labels 1 0}}\nports: {{- pad .Ports 1 0}}\nsize: {{.Size}}\n";
}

/// One of a container's fields: shortened or not, with the size of its image beside its own or not.
pub(crate) type Field = fn(&Summary, short: bool, whole: bool) -> Value;

/// All of them.
pub(crate) const FIELDS: [(&str, Field); 16] = [
    ("Command", |container, short, _| {
        let command = if short { ellipsis(&container.command, 20) } else { container.command.clone() };
        quote(&command).into()
    }),
    ("CreatedAt", |container, _, _| time::local(container.created).into()),
    ("ID", |container, short, _| if short { short_id(&container.id) } else { &container.id }.into()),
    ("Image", |container, short, _| image(container, short).into()),
    ("Labels", |container, _, _| labels_text(container.labels.iter().flatten()).into()),
    ("LocalVolumes", |container, _, _| local_volumes(&container.mounts).into()),
    ("Mounts", |container, short, _| mounts(&container.mounts, short).into()),
    ("Names", |container, short, _| names(&container.names, short).into()),
    ("Networks", |container, _, _| networks(container).into()),
    ("Platform", |_, _, _| Value::Null),
    ("Ports", |container, _, _| ports_text::text(&container.ports).into()),
    ("RunningFor", |container, _, _| time::ago(container.created).into()),
    ("Size", |container, _, whole| size(container, whole).into()),
    ("State", |container, _, _| container.state.as_str().into()),
    ("Status", |container, _, _| container.status.as_str().into()),
    ("Label", |container, _, _| label_method(container.labels.clone().unwrap_or_default())),
];

/// These fields of a container.
pub(crate) fn row(container: &Summary, fields: &[(&'static str, Field)], short: bool, whole: bool) -> Value {
    let values = fields.iter().map(|(name, field)| (*name, field(container, short, whole)));
    Value::structure("*formatter.ContainerContext", values)
}

/// All names without their slash; shortened: only the first that is not of a link.
fn names(names: &[String], short: bool) -> String {
    let bare: Vec<&str> = names.iter().map(|name| name.strip_prefix('/').unwrap_or(name)).collect();
    match bare.iter().find(|name| short && !name.contains('/')) {
        Some(own) => (*own).to_owned(),
        None => bare.join(","),
    }
}

fn image(container: &Summary, short: bool) -> String {
    let image = container.image.as_str();
    if image.is_empty() {
        return "<no image>".to_owned();
    }
    if !short {
        return image.to_owned();
    }
    if short_id(&container.image_id) == short_id(image) {
        return short_id(image).to_owned();
    }
    let (name, tag, _) = split_reference(image);
    match tag {
        Some(tag) => format!("{}:{tag}", familiar(name)),
        None => familiar(name).to_owned(),
    }
}

fn mounts(mounts: &[Mount], short: bool) -> String {
    let names = mounts.iter().map(|mount| if mount.name.is_empty() { &mount.source } else { &mount.name });
    let shown: Vec<String> =
        names.map(|name| if short { ellipsis(name, 15) } else { name.clone() }).collect();
    shown.join(",")
}

fn local_volumes(mounts: &[Mount]) -> String {
    mounts.iter().filter(|mount| mount.driver == "local").count().to_string()
}

fn networks(container: &Summary) -> String {
    let networks = container.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
    let names: Vec<&str> = networks.into_iter().flat_map(|all| all.keys().map(String::as_str)).collect();
    names.join(",")
}

fn size(container: &Summary, whole: bool) -> String {
    let own = units::human_size(container.size_rw as f64, 3);
    if container.size_root_fs <= 0 || !whole {
        return own;
    }
    format!("{own} (virtual {})", units::human_size(container.size_root_fs as f64, 3))
}
