//! `network prune`.

use super::{name_of, publish};
use crate::{Filters, Services};
use errors::{Class, Error, Result};
use events::{Event, NetworkAction};
use std::sync::Arc;

/// Removes the networks that no running container is on; answers their names.
///
/// # Errors
/// `Invalid` for an unknown filter; the store's.
pub async fn prune(services: &Arc<Services>, filters: &Filters) -> Result<Vec<String>> {
    filters.allow(&["label", "label!", "until"])?;
    let until = crate::filters::until(filters)?;
    let mut removed = Vec::new();
    for network in services.networks.list() {
        let old = until.is_none_or(|until| network.created.as_nanosecond() < i128::from(until));
        let wanted =
            !network.is_predefined() && !network.config_only && old && filters.labels(&network.labels);
        if !wanted {
            continue;
        }
        match services.networks.remove(network.id.as_str(), |endpoint| name_of(services, endpoint)).await {
            Ok(network) => {
                crate::names::forget_network(services, &network).await;
                publish(services, &network, &NetworkAction::Destroy);
                removed.push(network.name);
            }
            // Somebody uses it, or has removed it.
            Err(error) => match Error::from(error) {
                error if matches!(error.class(), Class::Denied | Class::NotFound) => {}
                error => return Err(error),
            },
        }
    }
    let action = NetworkAction::Prune { reclaimed: 0 };
    services.events.publish(Event::network(&action, "", "", ""));
    Ok(removed)
}
