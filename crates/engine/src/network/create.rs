//! `network create`.

use super::publish;
use crate::{Services, names};
use errors::Result;
use events::NetworkAction;
use networks::{Network, NewNetwork};
use std::sync::Arc;

/// Makes a network.
///
/// # Errors
/// `Conflict` for a name, bridge or subnet that is taken, `Denied` for what only the engine makes, `Invalid` for what can't be.
pub async fn create(services: &Arc<Services>, wanted: NewNetwork) -> Result<Network> {
    let network = services.networks.create(wanted).await?;
    names::note_network(services, &network).await;
    publish(services, &network, &NetworkAction::Create);
    Ok(network)
}
