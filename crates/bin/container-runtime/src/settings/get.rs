//! `config get KEY`: one value, as a word or as JSON.

use crate::own::print;
use clap::Parser;
use config::{KeyPath, Kind};
use docker_cli::Invocation;
use serde_json::{Map, Value};
use std::process::ExitCode;

/// Print the value of a setting; of a section, all its values as JSON.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// As network.ip_range
    key: String,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "config get", |flags: &Flags| {
        let wanted = KeyPath::parse(&flags.key).map_err(|error| anyhow::anyhow!(error))?;
        let kind = config::kind_at(&wanted).map_err(|message| anyhow::anyhow!("{wanted}: {message}"))?;
        let shown = super::show::shown(invocation)?;
        let mut below = Map::new();
        for key in shown["Keys"].as_array().into_iter().flatten() {
            let path = KeyPath::parse(key["Key"].as_str().unwrap_or_default()).unwrap_or_default();
            if path == wanted {
                print(&format!("{}\n", word(&key["Value"])));
                return Ok(());
            }
            if path.is_in(&wanted) && !key["Value"].is_null() {
                let name = KeyPath::of(path.parts()[wanted.parts().len()..].iter().cloned());
                below.insert(name.to_string(), key["Value"].clone());
            }
        }
        let has_names = matches!(kind, None | Some(Kind::Map(_) | Kind::Mirrors));
        print(&if has_names { format!("{:#}\n", Value::Object(below)) } else { "\n".to_owned() });
        Ok(())
    })
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
