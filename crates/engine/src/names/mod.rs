//! Which names containers have, told to netd, which answers their questions.
//!
//! A verb that changes what a container is called, or where it is, announces it before it answers: what a client asks for
//! afterwards is there. The records stay on disk, and whichever netd comes next reads them; so that netd can't be asked is
//! told to the log, and keeps no container from running.

mod record;

pub use record::carried;
pub(crate) use record::{asks_netd, chosen_name_servers, concerns_netd, is_own};

use crate::Services;
use containers::{Container, Record};
use networks::{Endpoint, Network};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Tells what a container is called on these networks, and that its names last as long as this process.
pub(crate) async fn announce(
    services: &Services,
    record: &Record,
    endpoints: &BTreeMap<String, Endpoint>,
    pid: u32,
) {
    if !concerns_netd(record, endpoints) {
        return;
    }
    let netd = Arc::clone(&services.names);
    let told = record::container(services, record, endpoints);
    let id = record.id.clone();
    offload::blocking(move || {
        let attached = netd::Attached {
            record: netd_protocol::Container { process: record::process(pid), ..told },
            namespace: None,
            process: None,
        };
        netd.keep();
        match netd.put(Vec::new(), vec![attached]) {
            Ok(warnings) => warn(&warnings),
            Err(error) => {
                tracing::error!(container = %id, error = %errors::chain(&error), "names are not answered yet");
            }
        }
    })
    .await;
}

/// Announces a running container as its record has it.
pub(crate) async fn announce_again(services: &Services, container: &Container) {
    let record = container.record();
    if let Some(pid) = record.state.pid() {
        announce(services, &record, &record.endpoints, pid).await;
    }
}

/// Says that a container is over, which was on these networks.
pub(crate) async fn forget(services: &Services, record: &Record, endpoints: &BTreeMap<String, Endpoint>) {
    if !concerns_netd(record, endpoints) {
        return;
    }
    let (netd, id) = (Arc::clone(&services.names), record.id.to_string());
    let forgotten = offload::blocking(move || netd.remove(Vec::new(), vec![id])).await;
    if let Err(error) = forgotten {
        tracing::warn!(container = %record.id, error = %errors::chain(&error), "names of an ended container");
    }
}

/// Tells of a new network.
pub(crate) async fn note_network(services: &Services, network: &Network) {
    let Some(told) = record::network(services, network) else { return };
    let netd = Arc::clone(&services.names);
    if let Err(error) = offload::blocking(move || netd.note(told)).await {
        tracing::error!(network = network.name, error = %errors::chain(&error), "names of a new network");
    }
}

/// Says that a network is gone.
pub(crate) async fn forget_network(services: &Services, network: &Network) {
    let (netd, id) = (Arc::clone(&services.names), network.id.to_string());
    if let Err(error) = offload::blocking(move || netd.remove(vec![id], Vec::new())).await {
        tracing::warn!(network = network.name, error = %errors::chain(&error), "names of a gone network");
    }
}

/// Tells everything, after a start of the engine, or where somebody has changed what was told: it is put right. With
/// `keep_strays` what is told of others stays: they may be containers that the store does not know.
pub(crate) async fn restore(services: &Services, keep_strays: bool) {
    let netd = Arc::clone(&services.names);
    let (networks, running) = all(services);
    offload::blocking(move || {
        if !running.is_empty() {
            netd.keep();
        }
        match netd.reconcile(networks, told(running), keep_strays) {
            Ok(warnings) => warn(&warnings),
            Err(error) => {
                tracing::error!(error = %errors::chain(&error), "names are not answered as they should be");
            }
        }
    })
    .await;
}

/// Where what is told is not what should be: `network ID`, `container ID`.
///
/// # Errors
/// When records can't be read.
pub(crate) async fn differences(services: &Services) -> netd::Result<Vec<String>> {
    let netd = Arc::clone(&services.names);
    let (networks, running) = all(services);
    offload::blocking(move || netd.differences(networks, told(running))).await
}

type Running = Vec<(u32, netd_protocol::Container)>;

/// What is to be told, with the numbers of containers' processes.
fn all(services: &Services) -> (Vec<netd_protocol::Network>, Running) {
    let networks = services.networks.list();
    let networks = networks.iter().filter_map(|network| record::network(services, network)).collect();
    let records: Vec<_> = services.containers.all().into_iter().map(|container| container.record()).collect();
    let running = records.iter().filter(|record| concerns_netd(record, &record.endpoints));
    let running = running.filter_map(|record| {
        Some((record.state.pid()?, record::container(services, record, &record.endpoints)))
    });
    (networks, running.collect())
}

/// Blocks: looks each process up.
fn told(running: Running) -> Vec<netd_protocol::Container> {
    let process = |(pid, told)| netd_protocol::Container { process: record::process(pid), ..told };
    running.into_iter().map(process).collect()
}

/// Ends netd if nobody can ask it any more; else it goes on without this process.
pub(crate) async fn close(services: &Services) {
    let records = services.containers.all().into_iter().map(|container| container.record());
    if records.filter(|record| record.state.is_live()).any(|record| concerns_netd(&record, &record.endpoints))
    {
        services.names.let_go();
        return;
    }
    let (netd, older) = (Arc::clone(&services.names), services.store_age.is_older());
    let ended = offload::blocking(move || {
        if older && netd.has_containers()? {
            // Of containers that the store does not know.
            netd.let_go();
            return Ok(());
        }
        netd.stop()
    });
    if let Err(error) = ended.await {
        tracing::warn!(error = %errors::chain(&error), "netd was not stopped");
    }
}

fn warn(warnings: &[String]) {
    for warning in warnings {
        tracing::warn!("{warning}");
    }
}
