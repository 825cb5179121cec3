//! Freezing that nobody is to see as a pause: while a container's files are read.

use super::failed_call;
use crate::Services;
use containers::{Container, State};
use errors::Result;
use runtime::Task;
use std::path::{Path, PathBuf};

/// Beside the bundle: who finds it knows that no person wanted the container to stand still.
const NOTE: &str = "thaw";

/// A container that stands still. The next daemon thaws it, should this one not live to.
pub(super) struct Frozen {
    task: Task,
    note: PathBuf,
}

/// Stops a running container's processes without recording it.
pub(super) async fn freeze(services: &Services, container: &Container) -> Result<Option<Frozen>> {
    let State::Running { .. } = container.state() else { return Ok(None) };
    let Some(task) = container.task() else { return Ok(None) };
    let note = note(services, container);
    durable::write_atomic(&note, b"", durable::Sync::None)?;
    let frozen = Frozen { task: Task::clone(&task), note };
    if let Err(error) = frozen.task.pause().await {
        forget(&frozen.note);
        return Err(failed_call(container, error));
    }
    Ok(Some(frozen))
}

impl Frozen {
    pub(super) async fn thaw(self, container: &Container) -> Result<()> {
        self.task.resume().await.map_err(|error| failed_call(container, error))?;
        forget(&self.note);
        Ok(())
    }
}

/// Thaws what a daemon that died had frozen; says whether it stands still then, as a person wants it to. The note goes in any case: it
/// may have been written, or left, while nothing was frozen.
pub(super) async fn thaw_left(
    services: &Services,
    container: &Container,
    task: &Task,
    paused: bool,
) -> Result<bool> {
    let note = note(services, container);
    if !note.exists() {
        return Ok(paused);
    }
    // Nothing else is frozen for a moment.
    if paused && matches!(container.state(), State::Running { .. }) {
        Frozen { task: task.clone(), note }.thaw(container).await?;
        return Ok(false);
    }
    forget(&note);
    Ok(paused)
}

fn note(services: &Services, container: &Container) -> PathBuf {
    services.bundle_dir(container.id()).join(NOTE)
}

fn forget(note: &Path) {
    if let Err(error) = durable::remove_optional(note) {
        tracing::warn!(error = %errors::chain(&error), "the note that a container is frozen for a moment stays");
    }
}
