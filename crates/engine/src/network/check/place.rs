//! Where packets come from and go to: what a person writes, found on this host.

use crate::Services;
use containers::Record;
use errors::{Class, Error, Result};
use networks::Endpoint;
use spec::{ExposedPort, NetworkMode};
use std::net::IpAddr;
use std::sync::Arc;

/// One end.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// In words.
    pub(super) words: String,
    pub(super) kind: Kind,
    /// The address that was named.
    pub(super) address: Option<IpAddr>,
    /// The port that was named.
    pub(super) port: Option<ExposedPort>,
}

/// What it is.
#[derive(Debug, Clone)]
pub(super) enum Kind {
    /// A container with a network namespace that is not the host's: the record of the namespace's owner.
    Container(Arc<Record>),
    /// A container that has no namespace now: its name.
    Stopped(String),
    Host,
    World,
}

impl Place {
    /// The attachments of a container.
    pub(super) fn endpoints(&self) -> Vec<&Endpoint> {
        match &self.kind {
            Kind::Container(record) => record.endpoints.values().collect(),
            _ => Vec::new(),
        }
    }
}

/// Who sends.
pub(super) async fn sender(services: &Arc<Services>, text: &str) -> Result<Place> {
    locate(services, text).await
}

/// Who is to receive what `from` sends.
pub(super) async fn receiver(services: &Arc<Services>, text: &str, from: &Place) -> Result<Place> {
    let (name, port) = split(text)?;
    let loopback = name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()) || name == "localhost";
    let mut place = match neighbour(services, from, name) {
        // Loopback is everybody's own.
        _ if loopback => Place { address: name.parse().ok(), ..from.clone() },
        Some(record) => container(services, &record)?,
        None => locate(services, name).await?,
    };
    if let Some(port) = port {
        place.words = format!("port {}/{} of {}", port.port, port.protocol.as_str(), place.words);
    }
    Ok(Place { port, ..place })
}

async fn locate(services: &Arc<Services>, text: &str) -> Result<Place> {
    let plain = |words: &str, kind| Place { words: words.to_owned(), kind, address: None, port: None };
    match text {
        "host" => return Ok(plain("the host", Kind::Host)),
        "world" => return Ok(plain("the world", Kind::World)),
        _ => {}
    }
    let Ok(address) = text.parse::<IpAddr>() else {
        return container(services, &services.containers.find(text)?.record());
    };
    let holds = |endpoint: &Endpoint| {
        [endpoint.ipv4, endpoint.ipv6].into_iter().flatten().any(|assigned| assigned.address == address)
    };
    let owner = services.containers.all().into_iter().map(|found| found.record());
    if let Some(record) = owner.into_iter().find(|record| record.endpoints.values().any(holds)) {
        return Ok(Place { address: Some(address), ..container(services, &record)? });
    }
    let own = offload::blocking(move || {
        let listed = net::Socket::open().and_then(|mut socket| net::address::list(&mut socket))?;
        Ok::<_, net::Error>(listed.into_iter().any(|one| one.address.addr() == address))
    })
    .await?;
    let place = if own { plain("the host", Kind::Host) } else { plain(text, Kind::World) };
    Ok(Place { address: Some(address), ..place })
}

/// A container that the sender finds under the name on one of its networks.
fn neighbour(services: &Services, from: &Place, name: &str) -> Option<Arc<Record>> {
    let mut endpoints =
        from.endpoints().into_iter().flat_map(|own| services.networks.endpoints(&own.network_id));
    let found = endpoints.find(|endpoint| endpoint.dns_names.iter().any(|known| known == name))?;
    Some(services.containers.get(&found.container)?.record())
}

fn container(services: &Services, record: &Arc<Record>) -> Result<Place> {
    let words = format!("container {}", record.name);
    let kind = match &record.spec.network.mode {
        _ if !record.state.is_live() => Kind::Stopped(record.name.to_string()),
        NetworkMode::Host => Kind::Host,
        NetworkMode::Container(other) => {
            let owner = services.containers.find(other)?.record();
            if owner.state.is_live() { Kind::Container(owner) } else { Kind::Stopped(owner.name.to_string()) }
        }
        _ => Kind::Container(Arc::clone(record)),
    };
    Ok(Place { words, kind, address: None, port: None })
}

/// `web`, `web:80`, `web:53/udp`, `fd00::2`, `[fd00::2]:80`.
pub(super) fn split(text: &str) -> Result<(&str, Option<ExposedPort>)> {
    let bad = || {
        Error::new(
            Class::Invalid,
            format!("{text:?} is not a place: NAME or ADDRESS, with :PORT or :PORT/PROTOCOL"),
        )
    };
    if text.is_empty() {
        return Err(bad());
    }
    if text.parse::<IpAddr>().is_ok() {
        return Ok((text, None));
    }
    let (name, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((name, "")) => (name, None),
        Some((name, rest)) => (name, Some(rest.strip_prefix(':').ok_or_else(bad)?)),
        None => text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port))),
    };
    let port = port
        .map(|port| ExposedPort::parse(port).filter(|port| port.port != 0).ok_or_else(bad))
        .transpose()?;
    if name.is_empty() { Err(bad()) } else { Ok((name, port)) }
}
