//! The verbs on networks. Those that make and change networks come with their own part of the engine.

use crate::{FilterError, Filters, Services};
use errors::{Class, Error, Result};
use networks::{Endpoint, Network};
use std::sync::Arc;

/// A network and who is attached to it.
#[derive(Debug, Clone)]
pub struct NetworkInspection {
    /// Its record.
    pub network: Network,
    /// Attached containers' names and endpoints.
    pub endpoints: Vec<(String, Endpoint)>,
}

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

/// Inspects a network by name or id.
///
/// # Errors
/// `NotFound`.
pub async fn inspect(services: &Arc<Services>, name: &str) -> Result<NetworkInspection> {
    let network = services.networks.find(name)?;
    Ok(with_endpoints(services, network))
}

/// Removes a network.
///
/// # Errors
/// `Denied` for a predefined one.
pub async fn remove(services: &Arc<Services>, name: &str) -> Result<()> {
    let network = services.networks.find(name)?;
    Err(Error::new(Class::Denied, format!("{} is a pre-defined network and cannot be removed", network.name)))
}

fn with_endpoints(services: &Services, network: Network) -> NetworkInspection {
    let endpoints = services.networks.endpoints(&network.id).into_iter();
    let named = endpoints.filter_map(|endpoint| {
        let container = services.containers.get(&endpoint.container)?;
        Some((container.record().name.to_string(), endpoint))
    });
    NetworkInspection { endpoints: named.collect(), network }
}
