//! Settings are read again on SIGHUP, and when a file of theirs changes.

use crate::file_watch;
use crate::watched::watched;
use engine::Services;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;
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
    loop {
        let asked = tokio::select! {
            told = hang_ups.recv() => told.is_some(),
            () = changed(&paths) => false,
        };
        let Some(services) = services.upgrade() else { return };
        reload(&services, asked).await;
    }
}

/// Returns once something has happened around the files, and then nothing for a while.
async fn changed(paths: &[PathBuf]) {
    let Ok(mut watch) = file_watch::watch(paths).and_then(watched) else {
        tokio::time::sleep(BLIND).await;
        return;
    };
    let mut happened = watch.readable().await.is_ok();
    while happened {
        // A new watch follows other links.
        let Ok(next) = file_watch::watch(paths).and_then(watched) else { return };
        watch = next;
        happened = tokio::time::timeout(QUIET, watch.readable()).await.is_ok();
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
