//! Settings are read again on SIGHUP, and when a file of theirs changes.

use crate::file_watch;
use crate::watched::watched;
use engine::Services;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long the files have to be left alone: an editor writes more than once, and a person more than one file.
const QUIET: Duration = Duration::from_millis(200);

/// How often a file is looked for where nothing can be watched.
const BLIND: Duration = Duration::from_secs(5);

/// Begins to listen for SIGHUP; before that it ends the daemon.
pub(super) fn hang_ups() -> std::io::Result<Signal> {
    signal(SignalKind::hangup())
}

/// Reloads for as long as the engine lives.
pub(super) async fn follow(services: Weak<Services>, mut hang_ups: Signal) {
    let Some(sources) = services.upgrade().map(|services| services.settings.sources().clone()) else {
        return;
    };
    // Something in the directory is watched, whether it is there or not.
    let paths = [sources.file.clone(), sources.drop_ins().join("a.yaml")];
    // First watched, then read: what changes in between is read once more. So at the start, too.
    let mut watch = Watch::begin(&paths);
    let mut asked = false;
    loop {
        let Some(engine) = services.upgrade() else { return };
        reload(&engine, asked).await;
        drop(engine);
        asked = tokio::select! {
            told = hang_ups.recv() => told.is_some(),
            () = watch.happened() => false,
        };
        if !asked {
            watch = quiet(&paths).await;
        }
    }
}

/// Waits until the files are left alone.
async fn quiet(paths: &[PathBuf]) -> Watch {
    loop {
        // A new watch follows other links.
        let watch = Watch::begin(paths);
        if tokio::time::timeout(QUIET, watch.happened()).await.is_err() {
            return watch;
        }
    }
}

/// What tells that something has happened around files; none: nothing can be watched.
struct Watch(Option<AsyncFd<OwnedFd>>);

impl Watch {
    fn begin(paths: &[PathBuf]) -> Self {
        Self(file_watch::watch(paths).and_then(watched).ok())
    }

    async fn happened(&self) {
        let told = match &self.0 {
            Some(watch) => watch.readable().await.is_ok(),
            None => false,
        };
        if !told {
            tokio::time::sleep(BLIND).await;
        }
    }
}

async fn reload(services: &Arc<Services>, asked: bool) {
    match engine::settings::reload(services).await {
        Ok(outcome) if outcome.changes.is_empty() && asked => tracing::info!("the settings are as they were"),
        Ok(outcome) => {
            for note in outcome.notes {
                tracing::info!("{note}");
            }
        }
        Err(error) => tracing::error!(%error, "the settings stay as they were"),
    }
}
