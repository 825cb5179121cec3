//! `network disconnect`.

use crate::container::network::publish;
use crate::container::{ports, refresh_hosts};
use crate::{Services, names};
use containers::Record;
use errors::{Class, Error, Result};
use events::NetworkAction;
use networks::{Endpoint, Sandbox};
use spec::NetworkMode;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Takes a network away from a container: at once if it runs, else from its next start on.
///
/// # Errors
/// `NotFound` for either; `Denied` where it is not on that network, or has the host's namespace or another container's.
pub async fn disconnect(services: &Arc<Services>, network: &str, container: &str) -> Result<()> {
    let container = services.containers.find(container)?;
    let network = match services.networks.find(network) {
        // It was removed while the container, which waits for its next start, still wants it.
        Err(_) if container.record().spec.network.endpoints.contains_key(network) => network.to_owned(),
        found => found?.name,
    };
    let network = network.as_str();
    let _verb = container.verb_lock.lock().await;
    let record = container.record();
    check(&record, network)?;
    let left = detach(services, &record, &record.endpoints, network).await?;
    let after = services
        .containers
        .update(&container, |record| {
            record.spec.network.endpoints.remove(network);
            // One that has ended meanwhile has none.
            if record.state.is_live() {
                record.endpoints.clone_from(&left);
            }
        })
        .await?;
    names::announce_again(services, &container).await;
    if after.state.is_live() { refresh_hosts(services, &record, &after) } else { Ok(()) }
}

/// Takes a running container's device away, and leads its routes and ports elsewhere. Answers the endpoints that it has then.
pub(super) async fn detach(
    services: &Arc<Services>,
    record: &Record,
    endpoints: &BTreeMap<String, Endpoint>,
    network: &str,
) -> Result<BTreeMap<String, Endpoint>> {
    let mut left = endpoints.clone();
    let Some(leaving) = left.get_mut(network) else { return Ok(left) };
    leaving.lead_nowhere();
    match ports::republish(services, record, &record.spec.network, &left).await {
        Ok(moved) => left = moved,
        Err(error) => {
            tracing::warn!(container = %record.id, %error, "ports go with the network that led to them")
        }
    }
    let Some(endpoint) = left.remove(network) else { return Ok(left) };
    let sandbox = record.state.pid().map_or_else(|| Ok(Sandbox::host()), Sandbox::of_process)?;
    if let Err(error) = services.networks.disconnect(&sandbox, &endpoint).await {
        stay(services, record, endpoints, &left).await;
        return Err(error.into());
    }
    let container = record.id.to_string();
    publish(services, &endpoint, &NetworkAction::Disconnect { container });
    services.networks.route(&sandbox, left.values()).await?;
    Ok(left)
}

/// Leads the ports back to where they led before.
async fn stay(
    services: &Arc<Services>,
    record: &Record,
    before: &BTreeMap<String, Endpoint>,
    now: &BTreeMap<String, Endpoint>,
) {
    let mut present = before.clone();
    // Plugins have led theirs all the time.
    for (network, endpoint) in present.iter_mut().filter(|(_, endpoint)| !endpoint.plugged) {
        endpoint.ports = now.get(network).map(|now| now.ports.clone()).unwrap_or_default();
    }
    if let Err(error) = ports::republish(services, record, &record.spec.network, &present).await {
        tracing::error!(container = %record.id, %error, "lead ports back");
    }
}

fn check(record: &Record, network: &str) -> Result<()> {
    let denied = |text: String| Err(Error::new(Class::Denied, text));
    if matches!(record.spec.network.mode, NetworkMode::Host) || network == "host" {
        return denied(
            "container cannot be disconnected from host network or connected to host network".to_owned(),
        );
    }
    if record.spec.network.endpoints.contains_key(network) {
        return Ok(());
    }
    denied(format!("container {} is not connected to network {}", record.id, network))
}
