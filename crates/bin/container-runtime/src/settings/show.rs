//! `config show`: what the daemon works with, and where each value comes from.

use super::outcome;
use crate::own::{print, told};
use clap::{Parser, ValueEnum};
use config::{KeyPath, Line};
use docker_cli::Invocation;
use engine::settings::{Shown, Sources};
use serde_json::{Value, json};
use std::process::ExitCode;

/// Show the settings that the daemon works with; without a daemon those that one would begin with.
#[derive(Debug, Parser)]
#[command(disable_version_flag = true)]
struct Flags {
    /// Say where each value comes from
    #[arg(long)]
    origin: bool,
    /// Show keys without a value too
    #[arg(long)]
    all: bool,
    /// How to print them
    #[arg(long, value_enum, default_value = "yaml")]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Yaml,
    Json,
}

pub(crate) fn run(invocation: &Invocation) -> ExitCode {
    crate::own::succeed(invocation, "config show", |flags: &Flags| {
        let shown = shown(invocation)?;
        let keys = shown["Keys"].as_array().map(Vec::as_slice).unwrap_or_default();
        let keys: Vec<&Value> = keys.iter().filter(|key| flags.all || !key["Value"].is_null()).collect();
        match flags.format {
            Format::Json if flags.origin => print(&format!("{:#}\n", json!(keys))),
            Format::Json => print(&format!("{:#}\n", tree(&keys)?)),
            Format::Yaml => print(&(heading(&shown) + &lines(&keys, flags.origin)? + &pending(&shown))),
        }
        Ok(())
    })
}

/// What the daemon says, or would.
pub(super) fn shown(invocation: &Invocation) -> anyhow::Result<Value> {
    if let Some(shown) = super::ask::daemon(invocation, |client| Ok(client.get("/container-runtime/config")))?
    {
        return Ok(shown);
    }
    let sources = Sources::of(None);
    let effective = told(sources.load())?;
    let shown = Shown::of(sources.file, &effective);
    let keys = shown.keys.iter().map(|key| {
        json!({
            "Key": key.key.to_string(),
            "Value": key.value,
            "Origin": key.origin.to_string(),
            "Works": key.change.to_string(),
        })
    });
    Ok(json!({ "File": shown.file, "Keys": keys.collect::<Vec<_>>(), "Running": false }))
}

fn heading(shown: &Value) -> String {
    let file = shown["File"].as_str().unwrap_or_default();
    match shown["Running"] == false {
        true => format!("# No daemon runs. One would begin with this; its file is {file}.\n"),
        false => format!("# The daemon works with this; its file is {file}.\n"),
    }
}

fn path(key: &Value) -> anyhow::Result<KeyPath> {
    KeyPath::parse(key["Key"].as_str().unwrap_or_default()).map_err(|error| anyhow::anyhow!(error))
}

fn lines(keys: &[&Value], origin: bool) -> anyhow::Result<String> {
    let line = |key: &&Value| -> anyhow::Result<Line> {
        let comment = key["Origin"].as_str().filter(|_| origin).map(str::to_owned);
        Ok(Line { path: path(key)?, value: key["Value"].clone(), comment })
    };
    let lines = keys.iter().map(line).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(config::listing(&lines))
}

fn tree(keys: &[&Value]) -> anyhow::Result<Value> {
    let paths = keys.iter().map(|key| path(key)).collect::<anyhow::Result<Vec<_>>>()?;
    Ok(config::tree_of(paths.iter().zip(keys.iter().map(|key| &key["Value"]))))
}

/// What waits for a restart.
fn pending(shown: &Value) -> String {
    let pending = shown["Pending"].as_array().map(Vec::as_slice).unwrap_or_default();
    let lines: Vec<String> = pending
        .iter()
        .map(|key| {
            format!("#   {}: {}\n", key["Key"].as_str().unwrap_or_default(), outcome::value(&key["Value"]))
        })
        .collect();
    if lines.is_empty() {
        String::new()
    } else {
        format!("# After a restart of the daemon:\n{}", lines.concat())
    }
}
