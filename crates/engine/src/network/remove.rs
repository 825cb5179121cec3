//! `network rm`.

use super::{name_of, publish};
use crate::Services;
use errors::{Class, Error, Result};
use events::NetworkAction;
use std::sync::Arc;

/// Removes a network that no running container is on.
///
/// # Errors
/// `NotFound`; `Denied` for a predefined one, and while containers are on it.
pub async fn remove(services: &Arc<Services>, name: &str) -> Result<()> {
    let network = services.networks.find(name)?;
    if network.is_predefined() {
        let text = format!("{} is a pre-defined network and cannot be removed", network.name);
        return Err(Error::new(Class::Denied, text));
    }
    let removed =
        services.networks.remove(network.id.as_str(), |endpoint| name_of(services, endpoint)).await?;
    publish(services, &removed, &NetworkAction::Destroy);
    Ok(())
}
