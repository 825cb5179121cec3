//! Settings are read again on SIGHUP, and when a file of theirs changes.

use crate::file_watch;
use crate::watched::watched;
use engine::Services;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long the files have to be left alone: an editor writes more than once, and a person more than one file.
const QUIET: Duration = Duration::from_millis(200);

/// How long they are waited for if they aren't.
const PATIENCE: Duration = Duration::from_secs(2);

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
        asked = wait(&mut watch, &paths, &mut hang_ups).await;
    }
}

/// Waits for a reason to read everything again; whether somebody has asked for it, who does not wait for files.
async fn wait(watch: &mut Watch, paths: &[PathBuf], hang_ups: &mut Signal) -> bool {
    let changed = async {
        watch.happened().await;
        quiet(paths).await
    };
    tokio::select! {
        Some(()) = hang_ups.recv() => true,
        next = changed => {
            *watch = next;
            false
        }
    }
}

/// Waits until the files are left alone, or for as long as there is patience.
async fn quiet(paths: &[PathBuf]) -> Watch {
    let end = Instant::now() + PATIENCE;
    loop {
        // A new watch follows other links.
        let watch = Watch::begin(paths);
        if tokio::time::timeout(QUIET, watch.happened()).await.is_err() || Instant::now() >= end {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Settings that somebody writes to all the time.
    async fn restless<T>(test: impl AsyncFnOnce(&[PathBuf]) -> T) -> T {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("settings.yaml");
        let paths = [file.clone()];
        let writer = tokio::spawn(async move {
            loop {
                std::fs::write(&file, "# words").unwrap();
                tokio::time::sleep(QUIET / 10).await;
            }
        });
        let outcome = tokio::time::timeout(PATIENCE * 5, test(&paths)).await;
        writer.abort();
        outcome.unwrap()
    }

    #[tokio::test]
    async fn files_that_are_never_left_alone_are_read_all_the_same() {
        restless(async |paths| quiet(paths).await).await;
    }

    #[tokio::test]
    async fn who_asks_does_not_wait_for_files() {
        let mut asked = signal(SignalKind::user_defined1()).unwrap();
        let told = restless(async |paths| {
            tokio::spawn(async {
                tokio::time::sleep(QUIET).await;
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::USR1)
                    .unwrap();
            });
            wait(&mut Watch::begin(paths), paths, &mut asked).await
        });
        assert!(told.await, "it is told of files");
    }
}
