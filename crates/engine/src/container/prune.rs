//! `container prune`: remove what does not run.

use super::Remove;
use crate::{Filters, Services};
use errors::Result;
use std::sync::Arc;

/// What was removed.
#[derive(Debug, Clone, Default)]
pub struct Pruned {
    /// Ids.
    pub deleted: Vec<String>,
    /// Bytes.
    pub reclaimed: u64,
}

/// Removes every container that is not running and passes the filters `label`, `label!` and `until`.
///
/// # Errors
/// `Invalid` for a bad filter. A container that resists is left and reported in the log.
pub async fn prune(services: &Arc<Services>, filters: Filters) -> Result<Pruned> {
    filters.allow(&["label", "label!", "until"])?;
    let until = crate::filters::until(&filters)?;
    let mut pruned = Pruned::default();
    for container in services.containers.all() {
        let record = container.record();
        let old_enough = until.is_none_or(|until| record.created_at < until);
        if record.state.is_live() || !old_enough || !filters.labels(&record.spec.labels) {
            continue;
        }
        let size = services.images.usage(container.id().as_str()).await.map_or(0, |usage| usage.bytes);
        match super::remove::remove_container(services, &container, Remove::default()).await {
            Ok(()) => {
                pruned.deleted.push(container.id().to_string());
                pruned.reclaimed += size;
            }
            Err(error) => tracing::warn!(container = %container.id(), %error, "prune"),
        }
    }
    services.events.publish(events::Event::containers_pruned(pruned.reclaimed));
    Ok(pruned)
}
