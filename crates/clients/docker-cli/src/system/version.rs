//! `docker version`.

use crate::app::App;
use crate::failure::Outcome;
use crate::flags::format::{self, DocumentFormat};
use crate::output::{self, columns, time};
use crate::template::{Kind, Value};
use crate::verb::{Arity, verb};
use engine_client::ApiVersion;
use std::fmt::Write as _;

#[derive(Debug, clap::Args)]
struct Args {
    #[command(flatten)]
    format: DocumentFormat,
}

verb!(Args, run, Arity::None, "[OPTIONS]", "Show the Docker version information");

async fn run(app: &App, args: &Args, _: &[String]) -> Outcome {
    let template = args.format.template()?;
    let server = server(app).await;
    let api = app.client()?.version().await.unwrap_or(ApiVersion::NEWEST);
    let client = client(app, api);
    let known = match &server {
        Ok(server) => server.clone(),
        Err(_) => Value::Null,
    };
    let document = Value::structure("command.versionInfo", [("Client", client), ("Server", known)]);
    let text = match &template {
        None => columns::align_with(&plain(&document), 20, 1),
        Some(template) => format::line(template, &document)?,
    };
    output::stdout(&text)?;
    server.map(drop)
}

fn client(app: &App, api: ApiVersion) -> Value {
    Value::structure(
        "command.clientVersion",
        [
            ("Version", app.environment.version.into()),
            ("ApiVersion", api.to_string().into()),
            ("APIVersion", api.to_string().into()),
            ("DefaultAPIVersion", ApiVersion::NEWEST.to_string().into()),
            ("GitCommit", app.environment.commit.into()),
            ("GoVersion", "".into()),
            ("Os", "linux".into()),
            ("Arch", architecture().into()),
            ("BuildTime", "".into()),
            ("Context", app.context_name().into()),
        ],
    )
}

/// The machine in Go's words.
fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

async fn server(app: &App) -> Outcome<Value> {
    let bytes = app.client()?.get("/version").bytes().await?;
    let mut server: Value = serde_json::from_slice(&bytes)?;
    server.mark_maps(&["Details"]);
    if let Some(Value::List(components)) = server.get_mut("Components") {
        for component in components {
            if let Some(Value::Str(built)) =
                component.get_mut("Details").and_then(|details| details.get_mut("BuildTime"))
            {
                *built = time::ansic(built);
            }
        }
    }
    if let (Some(api), Value::Object(kind, fields)) = (server.get("ApiVersion").cloned(), &mut server) {
        // Templates know the field by its Go name.
        fields.push(("APIVersion".into(), api));
        *kind = Kind::Struct("");
    }
    Ok(server)
}

/// Docker's layout, values behind a tab.
fn plain(document: &Value) -> String {
    let text = |value: Option<&Value>| value.map(ToString::to_string).unwrap_or_default();
    let mut out = String::from("Client:\n");
    let client = document.get("Client");
    let of_client = |name: &str| text(client.and_then(|client| client.get(name)));
    let mut line =
        |title: &str, value: String| writeln!(out, " {title}:\t{value}").expect("a String takes any text");
    line("Version", of_client("Version"));
    let (api, newest) = (of_client("APIVersion"), of_client("DefaultAPIVersion"));
    line("API version", if api == newest { api } else { format!("{api} (downgraded from {newest})") });
    for (title, name) in [("Git commit", "GitCommit"), ("Built", "BuildTime")] {
        if !of_client(name).is_empty() {
            line(title, of_client(name));
        }
    }
    line("OS/Arch", format!("{}/{}", of_client("Os"), of_client("Arch")));
    line("Context", of_client("Context"));
    let Some(server) = document.get("Server").filter(|server| server.truth()) else { return out };
    let platform = text(server.get("Platform").and_then(|platform| platform.get("Name")));
    writeln!(out, "\nServer: {platform}",).expect("a String takes any text");
    out = out.replace("Server: \n", "Server:\n");
    if let Some(Value::List(components)) = server.get("Components") {
        for component in components {
            out.push_str(&one_component(component));
        }
    }
    out
}

fn one_component(component: &Value) -> String {
    let text = |value: Option<&Value>| value.map(ToString::to_string).unwrap_or_default();
    let name = text(component.get("Name"));
    let details = component.get("Details");
    let detail = |name: &str| text(details.and_then(|details| details.get(name)));
    let mut lines = vec![("Version".to_owned(), text(component.get("Version")))];
    if name == "Engine" {
        let api = format!("{} (minimum version {})", detail("ApiVersion"), detail("MinAPIVersion"));
        lines.push(("API version".to_owned(), api));
        lines.push(("Go version".to_owned(), detail("GoVersion")));
        lines.push(("Git commit".to_owned(), detail("GitCommit")));
        lines.push(("Built".to_owned(), detail("BuildTime")));
        lines.push(("OS/Arch".to_owned(), format!("{}/{}", detail("Os"), detail("Arch"))));
        lines.push(("Experimental".to_owned(), detail("Experimental")));
    } else if let Some(Value::Object(_, fields)) = details {
        let mut fields: Vec<_> = fields.iter().collect();
        fields.sort_by(|a, b| a.0.cmp(&b.0));
        lines.extend(fields.into_iter().map(|(key, value)| (key.to_string(), value.to_string())));
    }
    lines
        .into_iter()
        .fold(format!(" {name}:\n"), |out, (title, value)| out + &format!("  {title}:\t{value}\n"))
}
