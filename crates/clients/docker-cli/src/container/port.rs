//! `docker port`.

use super::path;
use crate::app::App;
use crate::failure::{Failure, Outcome};
use crate::output;
use crate::output::names::natural;
use crate::verb::{Arity, NoFlags, verb};
use serde::Deserialize;
use std::collections::BTreeMap;

verb!(
    NoFlags,
    run,
    Arity::Between(1, 2),
    "CONTAINER [PRIVATE_PORT[/PROTO]]",
    "List port mappings or a specific mapping for the container"
);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    network_settings: Settings,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Settings {
    #[serde(default)]
    ports: BTreeMap<String, Option<Vec<Binding>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Binding {
    host_ip: String,
    host_port: String,
}

impl Binding {
    fn text(&self) -> String {
        match self.host_ip.contains(':') {
            true => format!("[{}]:{}", self.host_ip, self.host_port),
            false => format!("{}:{}", self.host_ip, self.host_port),
        }
    }
}

async fn run(app: &App, _: &NoFlags, words: &[String]) -> Outcome {
    let document: Document = app.client()?.get(path(&words[0], "/json")?).json().await?;
    let ports = document.network_settings.ports;
    let mut lines: Vec<String> = match words.get(1) {
        Some(wanted) => {
            let (port, protocol) = wanted.split_once('/').unwrap_or((wanted, ""));
            let protocol = if protocol.is_empty() { "tcp" } else { protocol };
            if port.parse::<u16>().is_err() {
                return Err(Failure::new(format!(
                    "Error: invalid port ({port}): strconv.ParseUint: parsing {port:?}: invalid syntax"
                )));
            }
            let bindings = ports.get(&format!("{port}/{protocol}")).and_then(Option::as_ref);
            let none =
                || Failure::new(format!("Error: No public port '{wanted}' published for {}", words[0]));
            bindings.filter(|list| !list.is_empty()).ok_or_else(none)?.iter().map(Binding::text).collect()
        }
        None => ports
            .iter()
            .flat_map(|(port, bindings)| {
                bindings.iter().flatten().map(move |binding| format!("{port} -> {}", binding.text()))
            })
            .collect(),
    };
    lines.sort_by(|a, b| natural(a, b));
    if lines.is_empty() { Ok(()) } else { output::line(lines.join("\n")) }
}
