//! `docker context ls`.

use crate::app::App;
use crate::failure::Outcome;
use crate::output::format::{Defaults, Format};
use crate::output::{self, FORMAT_HELP};
use crate::template::Value;
use crate::verb::{Arity, verb};

#[derive(Debug, clap::Args)]
struct Args {
    #[arg(long, help = FORMAT_HELP)]
    format: Option<String>,
    /// Only show context names
    #[arg(short, long)]
    quiet: bool,
}

verb!(Args, run, Arity::None, "[OPTIONS]", "List contexts");

const TITLES: [(&str, &str); 5] = [
    ("Current", ""),
    ("Description", "DESCRIPTION"),
    ("DockerEndpoint", "DOCKER ENDPOINT"),
    ("Error", "ERROR"),
    ("Name", "NAME"),
];

async fn run(app: &App, args: &Args, _: &[String]) -> Outcome {
    let current = app.context_name();
    let default_host = match (&current, app.endpoint()) {
        (name, Ok(endpoint)) if name == "default" => endpoint.to_string(),
        _ => app.environment.default_host.clone(),
    };
    let description = "Current DOCKER_HOST based configuration";
    let mut rows = vec![row("default", description, &default_host, current == "default", "")];
    for context in app.contexts().list() {
        let is_current = context.name == current;
        rows.push(row(&context.name, &context.description, &context.host, is_current, ""));
    }
    if current != "default" && app.contexts().get(&current).is_err() {
        let error = format!("context {current:?}: context not found");
        rows.push(row(&current, "", "", true, &error));
    }
    let defaults = Defaults {
        table: "table {{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}",
        quiet: "{{.Name}}",
        raw: "raw",
        raw_quiet: "raw",
        quiet_wins: true,
    };
    let format = Format::choose(args.format.as_deref().unwrap_or_default(), args.quiet, &defaults)?;
    output::stdout(&format.rows(&TITLES, &rows)?)?;
    for variable in ["CONTAINER_RUNTIME_HOST", "DOCKER_HOST"] {
        if std::env::var_os(variable).is_some_and(|value| !value.is_empty()) {
            output::stderr(&format!(
                "Warning: {variable} environment variable overrides the active context. To use a context, either \
                 set the global --context flag, or unset {variable} environment variable.\n"
            ));
        }
    }
    Ok(())
}

fn row(name: &str, description: &str, host: &str, current: bool, error: &str) -> Value {
    let shown = |text: &str| {
        if text.len() > 25 && !description.is_empty() {
            output::names::ellipsis(text, 45)
        } else {
            text.to_owned()
        }
    };
    Value::structure(
        "*formatter.clientContextContext",
        [
            ("Current", current.into()),
            ("Description", shown(description).into()),
            ("DockerEndpoint", host.into()),
            ("Error", shown(error).into()),
            ("Name", name.into()),
        ],
    )
}
