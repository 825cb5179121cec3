//! `network ls`.

use super::{NetworkInspection, with_endpoints};
use crate::{FilterError, Filters, Services};
use errors::Result;
use std::sync::Arc;

/// What the filter `type` tells apart.
const TYPES: [&str; 2] = ["builtin", "custom"];

/// Lists networks.
///
/// # Errors
/// `Invalid` for an unknown filter.
pub async fn list(services: &Arc<Services>, filters: &Filters) -> Result<Vec<NetworkInspection>> {
    filters.allow(&["dangling", "driver", "id", "label", "name", "scope", "type"])?;
    let dangling = filters.flag("dangling")?;
    if let Some(value) =
        filters.values("type").into_iter().flatten().find(|value| !TYPES.contains(&value.as_str()))
    {
        let why = format!("must be one of {}", TYPES.join(", "));
        return Err(FilterError::BadValue { name: "type".into(), value: value.clone(), why }.into());
    }
    let found = services.networks.list().into_iter().map(|network| with_endpoints(services, network));
    let wanted = found.filter(|found| {
        let network = &found.network;
        filters.labels(&network.labels)
            && filters.any("driver", |value| value == network.driver.as_str())
            && filters.any("id", |value| network.id.as_str().starts_with(value.as_str()))
            && filters.any("name", |value| network.name.contains(value.as_str()))
            && filters.any("scope", |value| *value == network.scope)
            && filters.any("type", |value| (value == "builtin") == network.is_predefined())
            && dangling
                .is_none_or(|dangling| dangling == (found.endpoints.is_empty() && !network.is_predefined()))
    });
    Ok(wanted.collect())
}
