//! `network rm`.

use super::{name_of, publish};
use crate::{Services, names};
use errors::Result;
use events::NetworkAction;
use std::sync::Arc;

/// Removes a network that no running container is on.
///
/// # Errors
/// `NotFound`; `Denied` for a predefined one, and while containers are on it.
pub async fn remove(services: &Arc<Services>, name: &str) -> Result<()> {
    let removed = services.networks.remove(name, |endpoint| name_of(services, endpoint)).await?;
    names::forget_network(services, &removed).await;
    publish(services, &removed, &NetworkAction::Destroy);
    Ok(())
}
