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
    /// Bytes.
    pub reclaimed: u64,
}

/// Removes images that no container uses: those without a name, or with `dangling=false` all.
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
    let mut pruned = PrunedImages::default();
    for summary in services.images.list(&filter)? {
        if uses.iter().any(|used| used.image == summary.image.id) {
            continue;
        }
        let id = summary.image.id.to_string();
        // By id and by force: every name of it goes.
        match services.images.remove(&id, Removal { force: true, prune: true }, &uses).await {
            Ok(removed) => {
                super::remove::publish(services, &id, &removed);
                pruned.removed.extend(removed);
                pruned.reclaimed += summary.image.size;
            }
            Err(error) => tracing::warn!(image = %id, %error, "prune"),
        }
    }
    let action = ImageAction::Prune { reclaimed: pruned.reclaimed };
    services.events.publish(Event::image(action, "", "", &BTreeMap::new()));
    Ok(pruned)
}
