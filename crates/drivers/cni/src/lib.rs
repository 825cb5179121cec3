//! Networks by plugins of others: the Container Network Interface, version 1.0.0 and those before it.
//!
//! A configuration names plugins, which are programs: each is told by its environment what to do to which namespace, reads its part of
//! the configuration, and prints what it did. Nothing is kept here: who attaches keeps the configuration and the result, as the
//! specification wants both for the detaching. Every call is blocking, and bounded in time.

mod configuration;
mod error;
mod plugin;
mod result;
mod wishes;

pub use configuration::{Configuration, find};
pub use error::{Error, Result};
pub use result::{Address, Attached, DefaultRoute, Names};
pub use wishes::{PortMapping, Wishes};

use plugin::{Call, Command};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where plugins are, and how long one may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Places {
    /// Directories of plugins, in the order in which they are searched.
    pub plugins: Vec<PathBuf>,
    /// For each plugin's call; it is killed then.
    pub limit: Duration,
}

/// What is attached to what.
#[derive(Debug, Clone, Copy)]
pub struct Attachment<'a> {
    /// `CNI_CONTAINERID`.
    pub container: &'a str,
    /// The namespace's file; none: it is gone already, which only detaching knows.
    pub namespace: Option<&'a Path>,
    /// The name of the device in it.
    pub device: &'a str,
    /// What is wished for beside what the configuration says.
    pub wishes: &'a Wishes,
}

/// Refuses a configuration of which a plugin, or its address manager, is not installed.
///
/// # Errors
/// [`Error::NoPlugin`].
pub fn check_installed(places: &Places, configuration: &Configuration) -> Result<()> {
    let kinds = configuration.plugins.iter().flat_map(|plugin| [&plugin["type"], &plugin["ipam"]["type"]]);
    for kind in kinds.filter_map(Value::as_str).filter(|kind| !kind.is_empty()) {
        plugin::find(places, &configuration.name, kind)?;
    }
    Ok(())
}

/// Attaches a namespace by all plugins of a configuration in turn. If one fails, [`detach`] takes back what the others did.
///
/// # Errors
/// [`Error::Plugin`] with the plugin's own words, [`Error::Slow`], [`Error::NoPlugin`].
pub fn attach(places: &Places, configuration: &Configuration, what: &Attachment<'_>) -> Result<Attached> {
    let mut previous = None;
    for plugin in &configuration.plugins {
        previous = Some(run(places, configuration, plugin, Command::Add, what, previous.as_ref())?);
    }
    Attached::read(&configuration.name, previous.unwrap_or_else(|| json!({})))
}

/// Asks all plugins whether an attachment is as they left it.
///
/// # Errors
/// As [`attach`].
pub fn check(
    places: &Places,
    configuration: &Configuration,
    what: &Attachment<'_>,
    result: &Value,
) -> Result<()> {
    let wanted = configuration.plugins.iter().filter(|_| !configuration.unchecked);
    for plugin in wanted {
        run(places, configuration, plugin, Command::Check, what, Some(result))?;
    }
    Ok(())
}

/// Detaches by all plugins in reverse, whatever becomes of one: the first failure is told. Harmless when it was done before.
///
/// # Errors
/// As [`attach`].
pub fn detach(
    places: &Places,
    configuration: &Configuration,
    what: &Attachment<'_>,
    result: Option<&Value>,
) -> Result<()> {
    let plugins = configuration.plugins.iter().rev();
    let outcomes: Vec<Result<Value>> =
        plugins.map(|plugin| run(places, configuration, plugin, Command::Del, what, result)).collect();
    outcomes.into_iter().find_map(std::result::Result::err).map_or(Ok(()), Err)
}

fn run(
    places: &Places,
    configuration: &Configuration,
    plugin: &Value,
    command: Command,
    what: &Attachment<'_>,
    previous: Option<&Value>,
) -> Result<Value> {
    let mut input = plugin.clone();
    input["cniVersion"] = json!(configuration.version);
    input["name"] = json!(configuration.name);
    let told = what.wishes.told_to(plugin);
    if !told.is_empty() {
        input["runtimeConfig"] = Value::Object(told);
    }
    if let Some(fields) = input.as_object_mut() {
        fields.remove("capabilities");
        if let Some(previous) = previous {
            fields.insert("prevResult".to_owned(), previous.clone());
        }
    }
    let kind = plugin["type"].as_str().unwrap_or_default();
    plugin::run(places, &Call { network: &configuration.name, kind, command, what, input: &input })
}

#[cfg(test)]
mod tests;
