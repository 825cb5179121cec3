//! `state export`, `state import` and `state migrate`: the engine's records as a whole.

pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod migrate;

use crate::lock;
use anyhow::{Context, Result, bail};
use clap::Args;
use config::Settings;
use docker_cli::Invocation;
use durable::LockFile;
use engine::settings::Sources;
use std::path::PathBuf;

/// Which engine is meant, where its daemon does not run.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The daemon's root directory, if its flags name one
    #[arg(long, visible_alias = "data-root", value_name = "DIR")]
    root: Option<PathBuf>,
    /// The daemon's settings file [default: /etc/container-runtime/container-runtime.yaml, if there is one]
    #[arg(long = "config-file", value_name = "FILE")]
    config_file: Option<PathBuf>,
}

impl Place {
    fn settings(&self) -> Result<Settings> {
        let mut sources = Sources::of(self.config_file.as_deref());
        if let Some(root) = &self.root {
            let root = std::path::absolute(root)?.display().to_string();
            sources.flags.push(("runtime.root_dir", root, "--root"));
        }
        Ok(told(sources.load())?.settings)
    }
}

/// Settings, and the lock that keeps daemons away. Who names no place means the daemon that verbs go to: where one answers, at an address
/// of -H perhaps, its records are not those of the usual place.
fn stopped(invocation: &Invocation, place: &Place) -> Result<(Settings, LockFile)> {
    if place.root.is_none() && place.config_file.is_none() && crate::own::answers(invocation) {
        let address = invocation.host.as_deref().unwrap_or_default();
        bail!(
            "a daemon answers at {address}: stop it first, with 'system shutdown' (its containers go on), and name its settings with \
             --config-file, or its directory with --root, if they are not the usual ones"
        );
    }
    let settings = place.settings()?;
    let root = &settings.runtime.root_dir;
    durable::create_dir_all(root, 0o711)?;
    let lock = lock::acquire(
        root,
        "daemon.lock",
        "stop the daemon first, with 'system shutdown': its containers go on",
    )?;
    Ok((settings, lock))
}

fn runtime() -> Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("start the async runtime")
}

/// What a verb returned, for a person.
fn told<T>(done: errors::Result<T>) -> Result<T> {
    done.map_err(|error| anyhow::anyhow!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_of_the_documentation_are_understood() {
        let page = include_str!("../../../../../docs/state.md");
        let blocks: Vec<_> =
            page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        assert!(!blocks.is_empty());
        for block in blocks {
            let dir = tempfile::tempdir().unwrap();
            let file = dir.path().join("settings.yaml");
            std::fs::write(&file, block).unwrap();
            let settings = Place { root: None, config_file: Some(file) }.settings().unwrap();
            assert_ne!(settings.state, config::State::default(), "{block}");
        }
    }
}
