//! Attaching a running container again whose device somebody has taken away.

use super::connect::attach;
use super::disconnect::detach;
use crate::{Services, names};
use containers::Record;
use errors::Result;
use networks::Endpoint;
use spec::EndpointRequest;
use std::sync::Arc;

/// Gives a running container a device again, with the addresses, the name inside and the ports that it had. Harmless where it has ended, or is
/// attached otherwise by now.
///
/// # Errors
/// What an attachment fails with: the container is off the network then.
pub(crate) async fn reattach(services: &Arc<Services>, endpoint: &Endpoint) -> Result<()> {
    let Some(container) = services.containers.get(&endpoint.container) else { return Ok(()) };
    let _verb = container.verb_lock.lock().await;
    let record = container.record();
    let name = &endpoint.network;
    let known = record.endpoints.get(name).filter(|known| known.id == endpoint.id);
    let (Some(pid), Some(known)) = (record.state.pid(), known) else { return Ok(()) };
    let network = services.networks.find(endpoint.network_id.as_str())?;
    let asked = record.spec.network.endpoints.get(name).cloned().unwrap_or_default();
    let request = EndpointRequest {
        ipv4: known.ipv4.map(|assigned| assigned.address.to_string()),
        ipv6: known.ipv6.map(|assigned| assigned.address.to_string()),
        mac_address: known.mac.map(|mac| mac.to_string()),
        ..asked
    };
    let left = detach(services, &record, &record.endpoints, name).await?;
    let off = Record { endpoints: left.clone(), ..Record::clone(&record) };
    let attached = attach(services, &off, pid, &network, &request).await;
    let endpoints = attached.as_ref().unwrap_or(&left);
    services
        .containers
        .update(&container, |record| {
            // One that has ended meanwhile has none.
            if record.state.is_live() {
                record.endpoints.clone_from(endpoints);
            }
        })
        .await?;
    names::announce_again(services, &container).await;
    attached.map(drop)
}
