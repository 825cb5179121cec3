//! `network connect`.

use crate::container::network::{Place, connect_one};
use crate::container::{ports, refresh_hosts};
use crate::{Services, names};
use containers::{Container, Record};
use errors::{Class, Error, Result};
use networks::{Driver, Endpoint, Network, Sandbox};
use spec::{EndpointRequest, NetworkMode};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Connects a container to a further network: at once if it runs, else at its next start.
///
/// # Errors
/// `NotFound` for either; `Denied` where it is on that network already or can't be on several; what an attachment fails with, after
/// which the container is as before.
pub async fn connect(
    services: &Arc<Services>,
    network: &str,
    container: &str,
    request: EndpointRequest,
) -> Result<()> {
    let network = &services.networks.find(network)?;
    let container = services.containers.find(container)?;
    let _verb = container.verb_lock.lock().await;
    let record = container.record();
    check(&container, &record, network)?;
    check_request(network, &request)?;
    let endpoints = match record.state.pid() {
        None => None,
        Some(pid) => Some(attach(services, &record, pid, network, &request).await?),
    };
    let stored = services
        .containers
        .update(&container, |record| {
            record.spec.network.endpoints.insert(network.name.clone(), request.clone());
            // One that has ended meanwhile has none.
            if let Some(endpoints) = endpoints.as_ref().filter(|_| record.state.is_live()) {
                record.endpoints.clone_from(endpoints);
            }
        })
        .await;
    match (stored, endpoints) {
        (Ok(after), Some(_)) => {
            names::announce_again(services, &container).await;
            refresh_hosts(services, &record, &after)
        }
        (Ok(_), None) => Ok(()),
        (Err(error), None) => Err(error),
        (Err(error), Some(endpoints)) => {
            take_back(services, &record, &endpoints, &network.name).await;
            Err(error)
        }
    }
}

/// Gives a running container a device on the network, and the routes and ports that follow from it. Answers all of its endpoints.
pub(super) async fn attach(
    services: &Arc<Services>,
    record: &Record,
    pid: u32,
    network: &Network,
    request: &EndpointRequest,
) -> Result<BTreeMap<String, Endpoint>> {
    let sandbox = Sandbox::of_process(pid)?;
    let place = Place { number: free_number(record), routed: false, bindings: &[] };
    let endpoint = connect_one(services, record, &sandbox, &network.name, request, place).await?;
    let mut all = record.endpoints.clone();
    all.insert(network.name.clone(), endpoint);
    let routed = services.networks.route(&sandbox, all.values()).await.map_err(Error::from);
    let published = match routed {
        Ok(()) => ports::republish(services, record, &record.spec.network, &all).await,
        Err(error) => Err(error),
    };
    if published.is_err() {
        take_back(services, record, &all, &network.name).await;
    }
    published
}

async fn take_back(
    services: &Arc<Services>,
    record: &Record,
    endpoints: &BTreeMap<String, Endpoint>,
    network: &str,
) {
    if let Err(error) = super::disconnect::detach(services, record, endpoints, network).await {
        tracing::error!(container = %record.id, %error, "take an attachment back");
    }
}

/// The lowest number that no device of the container has.
fn free_number(record: &Record) -> usize {
    let taken: Vec<&str> =
        record.endpoints.values().filter_map(|endpoint| endpoint.device.as_deref()).collect();
    (0..).find(|number| !taken.contains(&format!("eth{number}").as_str())).unwrap_or_default()
}

fn check(container: &Container, record: &Record, network: &Network) -> Result<()> {
    let denied = |text: String| Err(Error::new(Class::Denied, text));
    if container.is_removing() {
        return Err(Error::new(
            Class::Conflict,
            "container is marked for removal and cannot be connected or disconnected to the network",
        ));
    }
    if network.name == "host" {
        let why = "cannot connect container to host network - container must be created in host network mode";
        return denied(why.to_owned());
    }
    match &record.spec.network.mode {
        NetworkMode::Host | NetworkMode::Container(_) => denied(
            "container sharing network namespace with another container or host cannot be connected to any other network"
                .to_owned(),
        ),
        _ if network.name == "none" || record.spec.network.endpoints.contains_key("none") => denied(
            "container cannot be connected to multiple networks with one of the networks in private (none) mode"
                .to_owned(),
        ),
        _ if record.spec.network.endpoints.contains_key(&network.name) => {
            denied(format!("endpoint with name {} already exists in network {}", record.name, network.name))
        }
        _ => Ok(()),
    }
}

/// Refuses what an attachment to this network can't have.
pub(crate) fn check_request(network: &Network, request: &EndpointRequest) -> Result<()> {
    let invalid = |why: String| {
        let text = format!("invalid config for network {}: invalid endpoint settings:\n{why}", network.name);
        Err(Error::new(Class::Invalid, text))
    };
    let asks = request.ipv4.iter().chain(&request.ipv6).next();
    if asks.is_some() && network.is_predefined() {
        return invalid("user specified IP address is supported on user defined networks only".to_owned());
    }
    for text in request.ipv4.iter().chain(&request.ipv6) {
        let Ok(address) = text.parse::<IpAddr>() else {
            return invalid(format!("invalid IP address: {text}"));
        };
        // Plugins know their ranges themselves.
        let known = network.driver != Driver::Cni;
        if known && !network.ipam.config.iter().any(|range| range.subnet.contains(&address)) {
            return invalid(format!("no configured subnet or ip-range contain the IP address {text}"));
        }
    }
    Ok(())
}
