//! The containers that went on, or ended, while the engine did not run.

use super::sweep::sweep;
use crate::Services;
use ::containers::{Container, Record};
use errors::{Class, Error, Result};
use futures_util::stream::{self, StreamExt};
use std::sync::Arc;
use std::time::Duration;

/// Containers that are adopted at the same time: what each takes meanwhile is never given back as a whole.
const AT_ONCE: usize = 256;

/// Brings every record in line with what went on or ended meanwhile.
pub(super) async fn adopt_all(services: &Arc<Services>) -> Result<()> {
    let containers = services.containers.all();
    let records: Vec<Arc<Record>> = containers.iter().map(|container| container.record()).collect();
    let references = records.iter().flat_map(|record| {
        record.volumes().map(|volume| volumes::Reference {
            volume: volume.to_owned(),
            container: record.id.to_string(),
            mounted: record.state.is_live(),
        })
    });
    services.volumes.restore(references.collect()).await?;
    // With a store that is older than the disk it is not known which containers there are.
    let is_there = |id: &str| id.parse().is_ok_and(|id| services.containers.get(&id).is_some());
    services.volumes.finish(is_there, services.store_age.is_older()).await;
    let endpoints = records.iter().flat_map(|record| record.endpoints.values().cloned());
    services.networks.adopt(endpoints.collect()).await?;
    sweep(services).await;

    let adoptions = containers.into_iter().map(|container| {
        let services = Arc::clone(services);
        tokio::spawn(async move {
            if let Err(error) = crate::container::adopt(&services, &container).await {
                tracing::error!(container = %container.id(), %error, "adopt; it is tried again");
                adopt_later(&services, container);
            }
        })
    });
    let mut adopted = stream::iter(adoptions).buffer_unordered(AT_ONCE);
    while let Some(joined) = adopted.next().await {
        joined.map_err(|error| Error::wrap(Class::Internal, error))?;
    }
    Ok(())
}

/// Asks a shim that did not answer again until it does, or until somebody has changed the container's state.
fn adopt_later(services: &Arc<Services>, container: Arc<Container>) {
    const PAUSE: Duration = Duration::from_secs(5);
    let (services, state) = (Arc::downgrade(services), container.state());
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(PAUSE).await;
            let Some(services) = services.upgrade() else { return };
            let _verb = container.verb_lock.lock().await;
            let known = services.containers.get(container.id()).is_some();
            if !known || container.task().is_some() || container.state() != state {
                return;
            }
            match crate::container::adopt(&services, &container).await {
                Ok(()) => return,
                Err(error) => tracing::warn!(container = %container.id(), %error, "adopt"),
            }
        }
    });
}
