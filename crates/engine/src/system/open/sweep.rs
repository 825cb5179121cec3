//! Removing what an engine that was killed left half made.

use super::super::check;
use crate::Services;
use errors::{Class, Error, Result};
use ids::ContainerId;
use std::sync::Arc;

/// Removes what belongs to no record: a creation that the engine did not live to finish, or to undo. Where the store is older than the
/// disk, as after the restoring of a backup, nobody can tell: then nothing is removed.
pub(super) async fn sweep(services: &Arc<Services>) {
    if services.store_age.is_older() {
        tracing::error!(
            disagreement = check::STORE_OLDER,
            "the store is older than the disk: containers that it does not know are left alone; see 'system check'"
        );
        return;
    }
    let strays = match check::strays(services).await {
        Ok(strays) => strays,
        Err(error) => {
            tracing::warn!(%error, "look for what no container has");
            return;
        }
    };
    for (kind, id) in strays {
        match remove_stray(services, &id).await {
            Ok(()) => {
                tracing::info!(disagreement = kind, container = %id, "what no container has is removed")
            }
            // What is known of its processes is in there: the next start tries again.
            Err(error) => tracing::warn!(disagreement = kind, container = %id, %error, "sweep"),
        }
    }
}

/// Removes all that there is of a container without a record: processes by its bundle, bundle, directory, writable layer.
///
/// # Errors
/// What can't be ended or removed; the rest is there then.
pub(crate) async fn remove_stray(services: &Arc<Services>, id: &ContainerId) -> Result<()> {
    if services.containers.get(id).is_some() {
        return Ok(());
    }
    crate::container::end_by_bundle(services, id).await?;
    for directory in [services.bundle_dir(id), services.container_dir(id)] {
        let left = durable::remove_tree(&directory)?;
        if let Some(first) = left.into_iter().next() {
            return Err(
                Error::wrap(Class::Internal, first.error).context(format!("remove {}", first.path.display()))
            );
        }
    }
    Ok(services.images.release(id.as_str()).await?)
}
