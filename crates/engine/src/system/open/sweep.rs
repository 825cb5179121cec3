//! Removing what an engine that was killed left half made.

use crate::Services;
use ::containers::Record;
use runtime::Adopted;
use std::collections::HashSet;
use std::sync::Arc;

/// Removes what belongs to no record: a creation that the engine did not live to finish, or to undo.
pub(super) async fn sweep(services: &Arc<Services>, records: &[Arc<Record>]) {
    let known: HashSet<&str> = records.iter().map(|record| record.id.as_str()).collect();
    for key in services.images.snapshots() {
        if !known.contains(key.as_str())
            && let Err(error) = services.images.release(&key).await
        {
            tracing::warn!(snapshot = key, %error, "sweep");
        }
    }
    let settings = services.settings();
    for parent in [&settings.runtime.root_dir, &settings.runtime.state_dir] {
        let Ok(entries) = std::fs::read_dir(parent.join("containers")) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(name) = name.to_str() else { continue };
            let Ok(id) = name.parse::<ids::ContainerId>() else { continue };
            if known.contains(name) {
                continue;
            }
            // A bundle may still have a shim with a process.
            match services.runtimes.adopt(&id, &entry.path()).await {
                Ok(Adopted::Running { task, .. } | Adopted::Exited(_, Some(task))) => {
                    let ended = match crate::container::kill_and_wait(&task).await {
                        Ok(()) => task.delete().await.map(drop).map_err(Into::into),
                        Err(error) => Err(error),
                    };
                    if let Err(error) = ended {
                        tracing::warn!(path = %entry.path().display(), %error, "sweep");
                        continue;
                    }
                }
                Ok(Adopted::Exited(_, None) | Adopted::Lost) => {}
                Err(error) => {
                    // What is known of its processes is in there: the next start tries again.
                    tracing::warn!(path = %entry.path().display(), %error, "sweep");
                    continue;
                }
            }
            if let Err(error) = durable::remove_tree(&entry.path()) {
                tracing::warn!(path = %entry.path().display(), %error, "sweep");
            }
        }
    }
}
