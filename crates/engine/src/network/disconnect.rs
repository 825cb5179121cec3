//! `network disconnect`.

use crate::container::network::publish;
use crate::container::refresh_hosts;
use crate::{Services, names};
use containers::Record;
use errors::{Class, Error, Result};
use events::NetworkAction;
use networks::{Endpoint, Sandbox};
use spec::NetworkMode;
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
    if let Some(endpoint) = record.endpoints.get(network) {
        detach(services, &record, endpoint).await?;
    }
    let after = services
        .containers
        .update(&container, |record| {
            record.spec.network.endpoints.remove(network);
            record.endpoints.remove(network);
        })
        .await?;
    names::announce_again(services, &container).await;
    if after.state.is_live() { refresh_hosts(services, &record, &after) } else { Ok(()) }
}

/// Takes a running container's device away, and leads its routes elsewhere.
pub(super) async fn detach(services: &Services, record: &Record, endpoint: &Endpoint) -> Result<()> {
    services.networks.disconnect(endpoint).await?;
    let container = record.id.to_string();
    publish(services, endpoint, &NetworkAction::Disconnect { container });
    let Some(pid) = record.state.pid() else { return Ok(()) };
    let left = record.endpoints.values().filter(|other| other.id != endpoint.id);
    Ok(services.networks.route(&Sandbox::of_process(pid)?, left).await?)
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
