//! The verbs on networks. Those that make and change networks come with their own part of the engine.

mod inspect;
mod list;
mod remove;

pub use inspect::inspect;
pub use list::list;
pub use remove::remove;

use crate::Services;
use networks::{Endpoint, Network};

/// A network and who is attached to it.
#[derive(Debug, Clone)]
pub struct NetworkInspection {
    /// Its record.
    pub network: Network,
    /// Attached containers' names and endpoints.
    pub endpoints: Vec<(String, Endpoint)>,
}

fn with_endpoints(services: &Services, network: Network) -> NetworkInspection {
    let endpoints = services.networks.endpoints(&network.id).into_iter();
    let named = endpoints.filter_map(|endpoint| {
        let container = services.containers.get(&endpoint.container)?;
        Some((container.record().name.to_string(), endpoint))
    });
    NetworkInspection { endpoints: named.collect(), network }
}
