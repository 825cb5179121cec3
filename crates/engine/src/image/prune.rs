//! `image prune`.

use crate::{Filters, Services};
use errors::Result;
use events::{Event, ImageAction};
use images::{Filter, Removal, Removed};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What went.
#[derive(Debug, Clone, Default)]
pub struct PrunedImages {
    /// Names and images.
    pub removed: Vec<Removed>,
    /// Bytes that the disk has got back.
    pub reclaimed: u64,
}

/// Removes images that no container uses: those without a name, or with `dangling=false` all. Half-fetched blobs that nobody
/// has gone on with for a while go too.
///
/// # Errors
/// `Invalid` for a bad filter.
pub async fn prune(services: &Arc<Services>, filters: Filters) -> Result<PrunedImages> {
    filters.allow(&["dangling", "label", "label!", "until"])?;
    let only_dangling = filters.flag("dangling")?.unwrap_or(true);
    let strings = |name: &str| filters.values(name).into_iter().flatten().cloned().collect::<Vec<_>>();
    let filter = Filter {
        dangling: only_dangling.then_some(true),
        labels: strings("label"),
        without_labels: strings("label!"),
        until: crate::filters::until(&filters)?.map(|nanos| nanos / 1_000_000_000),
        ..Filter::default()
    };
    let uses = super::uses(services);
    let before = services.images.disk_usage().await?;
    let mut pruned = PrunedImages::default();
    for summary in services.images.list(&filter)? {
        if uses.iter().any(|used| used.image == summary.image.id) {
            continue;
        }
        let id = summary.image.id.to_string();
        // By id and by force: every name of it goes.
        let removal = Removal { force: true, prune: true, unused: true };
        match services.images.remove(&id, removal, || super::uses(services)).await {
            Ok(removed) => {
                super::remove::publish(services, &id, &removed);
                pruned.removed.extend(removed);
            }
            Err(error) => tracing::warn!(image = %id, %error, "prune"),
        }
    }
    // Layers that others share stay, and blobs go too: only the disk knows what came back.
    pruned.reclaimed = before.gone_in(&services.images.disk_usage().await?);
    let patience = services.settings().storage.gc.partials_after();
    if let Some(patience) = patience {
        pruned.reclaimed += services.images.old_partials(patience, false).await?;
    }
    let action = ImageAction::Prune { reclaimed: pruned.reclaimed };
    services.events.publish(Event::image(action, "", "", &BTreeMap::new()));
    Ok(pruned)
}
