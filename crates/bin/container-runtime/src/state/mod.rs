//! `state export`, `state import` and `state migrate`: the engine's records as a whole.

pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod migrate;

use crate::lock;
use crate::place::Place;
use anyhow::{Context, Result, bail};
use config::Settings;
use docker_cli::Invocation;
use durable::LockFile;

/// Settings, and the lock that keeps daemons away. Who names no place means the daemon that verbs go to: where one answers, at an address
/// of -H perhaps, its records are not those of the usual place.
fn stopped(invocation: &Invocation, place: &Place) -> Result<(Settings, LockFile)> {
    if !place.is_named() && crate::own::answers(invocation) {
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
