//! The verbs on networks.

mod check;
mod connect;
mod create;
mod disconnect;
mod inspect;
mod list;
mod prune;
mod reattach;
mod remove;

pub use check::{Checked, Step, check};
pub(crate) use connect::check_request;
pub use connect::connect;
pub use create::create;
pub use disconnect::disconnect;
pub use inspect::inspect;
pub use list::list;
pub use prune::prune;
pub(crate) use reattach::reattach;
pub use remove::remove;

use crate::Services;
use events::{Event, NetworkAction};
use networks::{Endpoint, Network};

/// A network and who is attached to it.
#[derive(Debug, Clone)]
pub struct NetworkInspection {
    /// Its record.
    pub network: Network,
    /// Attached containers' names and endpoints.
    pub endpoints: Vec<(String, Endpoint)>,
}

fn publish(services: &Services, network: &Network, action: &NetworkAction) {
    services.events.publish(Event::network(
        action,
        network.id.as_str(),
        &network.name,
        network.driver.as_str(),
    ));
}

/// What a container is called, for errors about its endpoints.
pub(crate) fn name_of(services: &Services, endpoint: &Endpoint) -> String {
    let container = services.containers.get(&endpoint.container);
    container.map_or_else(|| endpoint.container.short().to_owned(), |found| found.record().name.to_string())
}

fn with_endpoints(services: &Services, network: Network) -> NetworkInspection {
    let endpoints = services.networks.endpoints(&network.id).into_iter();
    let named = endpoints.filter_map(|endpoint| {
        let container = services.containers.get(&endpoint.container)?;
        Some((container.record().name.to_string(), endpoint))
    });
    NetworkInspection { endpoints: named.collect(), network }
}
