//! Legacy links: another container under a name of one's own, in `/etc/hosts`, in names and in variables.
//!
//! On the default bridge a link makes what Docker's does. On networks of a user's it is a name alone. A record keeps the other's id, so
//! that the link outlives its renaming; a link to a container that was removed is none.

use crate::Services;
use containers::{Container, Record};
use errors::{Class, Error, Result};
use networks::Endpoint;
use spec::{ExposedPort, NetworkMode, NetworkRequest, PortProtocol};
use std::net::IpAddr;
use std::sync::Arc;

/// The network whose links are more than names.
const NETWORK: &str = "bridge";

/// A link, looked up.
#[derive(Debug)]
pub(crate) struct Link {
    /// What it is called.
    pub(crate) alias: String,
    /// What is meant.
    pub(crate) child: Arc<Container>,
}

/// `name:alias`, `name`, or `/name:/parent/alias`, as `inspect` shows it.
fn parse(text: &str) -> Result<(&str, &str)> {
    let bad = || Error::new(Class::Invalid, format!("bad format for links: {text}"));
    let (name, alias) = text.split_once(':').unwrap_or((text, text));
    let alias = if name.starts_with('/') { alias.rsplit('/').next().unwrap_or(alias) } else { alias };
    let name = name.strip_prefix('/').unwrap_or(name);
    if name.is_empty() || alias.is_empty() || alias.contains(':') || alias.contains(char::is_whitespace) {
        return Err(bad());
    }
    Ok((name, alias))
}

/// Whether its links are those of the default bridge.
fn is_legacy(network: &NetworkRequest) -> bool {
    match &network.mode {
        NetworkMode::Default => true,
        NetworkMode::Named(name) => name == NETWORK,
        _ => false,
    }
}

/// Looks up what new links mean, and writes them down by id.
///
/// # Errors
/// `Invalid` for what is no link, and for a container that is not there.
pub(super) fn resolve(services: &Services, network: &mut NetworkRequest) -> Result<()> {
    if !is_legacy(network) {
        // Its endpoints have them.
        network.links.clear();
    }
    for link in &mut network.links {
        let (name, alias) = parse(link)?;
        let child = linked(services, name)?;
        *link = format!("{}:{alias}", child.id());
    }
    Ok(())
}

/// The container of this name, or whose network it shares.
fn linked(services: &Services, name: &str) -> Result<Arc<Container>> {
    let find = |wanted: &str| {
        let found = services.containers.find(wanted);
        // Clients take "not found" for a missing image.
        found.map_err(|error| {
            Error::new(Class::Invalid, format!("could not get container for {name}: {error}"))
        })
    };
    let mut child = find(name)?;
    while let NetworkMode::Container(other) = child.record().spec.network.mode.clone() {
        child = find(&other)?;
    }
    if child.record().spec.network.mode == NetworkMode::Host {
        let text = "conflicting options: host type networking can't be used with links. This would result in undefined behavior";
        return Err(Error::new(Class::Invalid, text));
    }
    Ok(child)
}

/// The links of a container to those that still are.
pub(crate) fn of(services: &Services, record: &Record) -> Vec<Link> {
    let links = record.spec.network.links.iter().filter_map(|link| {
        let (id, alias) = parse(link).ok()?;
        Some(Link { alias: alias.to_owned(), child: services.containers.find(id).ok()? })
    });
    links.collect()
}

/// As `inspect` shows them: `/child:/parent/alias`.
pub(super) fn shown(services: &Services, record: &Record) -> Vec<String> {
    let shown = |link: Link| format!("/{}:/{}/{}", link.child.record().name, record.name, link.alias);
    of(services, record).into_iter().map(shown).collect()
}

/// Those that are more than names: of a container that is on the default bridge.
pub(super) fn in_force(services: &Services, record: &Record) -> Vec<Link> {
    if record.spec.network.endpoints.contains_key(NETWORK) { of(services, record) } else { Vec::new() }
}

/// Refuses a start where what is linked to does not run, or is not on that network.
///
/// # Errors
/// That.
pub(super) fn check(record: &Record, links: &[Link]) -> Result<()> {
    for link in links {
        let child = link.child.record();
        if !child.state.is_live() {
            let text = format!(
                "Cannot link to a non running container: /{} AS /{}/{}",
                child.name, record.name, link.alias
            );
            return Err(Error::new(Class::Internal, text).hint("Start it first"));
        }
        if !child.endpoints.contains_key(NETWORK) {
            let text =
                format!("Cannot link to /{}, as it does not belong to the default network", child.name);
            return Err(Error::new(Class::Internal, text));
        }
    }
    Ok(())
}

impl Link {
    /// Lines of `/etc/hosts`: addresses, and the names behind them.
    pub(super) fn hosts(&self) -> Vec<(IpAddr, String)> {
        let child = self.child.record();
        let mut names = format!("{} {}", self.alias, super::start::hostname(&child));
        if child.name.to_string() != self.alias {
            names.push_str(&format!(" {}", child.name));
        }
        let endpoint = child.endpoints.get(NETWORK).into_iter();
        let addresses = endpoint.flat_map(|endpoint: &Endpoint| [endpoint.ipv4, endpoint.ipv6]).flatten();
        addresses.map(|assigned| (assigned.address, names.clone())).collect()
    }

    /// Variables for the container `parent`, as Docker names them.
    pub(super) fn variables(&self, parent: &str) -> Vec<String> {
        let child = self.child.record();
        let address = child.endpoints.get(NETWORK).and_then(|endpoint| endpoint.ipv4.or(endpoint.ipv6));
        let Some(address) = address.map(|assigned| assigned.address) else { return Vec::new() };
        let mut variables =
            port_variables(&self.alias, &address.to_string(), child.spec.network.exposed.iter().collect());
        let prefix = prefix(&self.alias);
        variables.push(format!("{prefix}_NAME=/{parent}/{}", self.alias));
        let inherited = child.spec.process.env.iter().filter_map(|pair| pair.split_once('='));
        let inherited = inherited.filter(|(name, _)| !matches!(*name, "HOME" | "PATH"));
        variables.extend(inherited.map(|(name, value)| format!("{prefix}_ENV_{name}={value}")));
        variables
    }
}

fn prefix(alias: &str) -> String {
    alias.to_uppercase().replace('-', "_")
}

fn port_variables(alias: &str, address: &str, mut ports: Vec<ExposedPort>) -> Vec<String> {
    ports.sort_by_key(|port| (port.port, port.protocol != PortProtocol::Tcp, port.protocol));
    let prefix = prefix(alias);
    let url = |port: &ExposedPort| format!("{}://{address}:{}", port.protocol.as_str(), port.port);
    let mut variables: Vec<String> =
        ports.first().map(|port| format!("{prefix}_PORT={}", url(port))).into_iter().collect();
    let name =
        |port: &ExposedPort| format!("{prefix}_PORT_{}_{}", port.port, port.protocol.as_str().to_uppercase());
    for run in ports.chunk_by(|one, next| next.port <= one.port + 1).filter(|run| run.len() > 1) {
        let (first, last) = (&run[0], &run[run.len() - 1]);
        let (name, protocol) = (name(first), first.protocol.as_str());
        variables.extend([
            format!("{name}_START={}", url(first)),
            format!("{name}_ADDR={address}"),
            format!("{name}_PROTO={protocol}"),
            format!("{name}_PORT_START={}", first.port),
            format!("{name}_END={}", url(last)),
            format!("{name}_PORT_END={}", last.port),
        ]);
    }
    for port in &ports {
        let name = name(port);
        variables.extend([
            format!("{name}={}", url(port)),
            format!("{name}_ADDR={address}"),
            format!("{name}_PORT={}", port.port),
            format!("{name}_PROTO={}", port.protocol.as_str()),
        ]);
    }
    variables
}

/// Tells running containers that link to this one where it is now.
pub(super) fn follow(services: &Services, child: &Record) {
    for parent in services.containers.all() {
        let record = parent.record();
        if !record.state.is_live() || !record.endpoints.contains_key(NETWORK) {
            continue;
        }
        for link in of(services, &record).into_iter().filter(|link| *link.child.id() == child.id) {
            if let Err(error) = super::start::relink_hosts(services, &record, &link.hosts()) {
                tracing::warn!(container = %record.id, %error, "a link's address");
            }
        }
    }
}

/// Removes a link: `parent/alias`.
///
/// # Errors
/// `NotFound`, and where it is a container's own name.
pub(super) async fn remove(services: &Services, name: &str) -> Result<()> {
    let name = format!("/{}", name.trim_start_matches('/'));
    let (parent, alias) = name.rsplit_once('/').unwrap_or_default();
    if parent.is_empty() {
        let text = "Conflict, cannot remove the default link name of the container";
        return Err(Error::new(Class::Internal, text));
    }
    let found = services.containers.find(parent.trim_start_matches('/'));
    let parent = found.map_err(|_| {
        Error::new(Class::Internal, format!("Cannot get parent {parent} for link name {name}"))
    })?;
    let _verb = parent.verb_lock.lock().await;
    let is_it = |link: &str| parse(link).is_ok_and(|(_, other)| other == alias);
    if !parent.record().spec.network.links.iter().any(|link| is_it(link)) {
        return Err(Error::new(Class::NotFound, format!("there is no link {name}")));
    }
    services
        .containers
        .update(&parent, |record| record.spec.network.links.retain(|link| !is_it(link)))
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn port(port: u16, protocol: PortProtocol) -> ExposedPort {
        ExposedPort { port, protocol }
    }

    #[test]
    fn links_are_read_as_docker_writes_them() {
        assert_eq!(parse("db:alias").unwrap(), ("db", "alias"));
        assert_eq!(parse("db").unwrap(), ("db", "db"));
        assert_eq!(parse("/db:/web/alias").unwrap(), ("db", "alias"));
        for bad in ["", ":", "a:b:c", "a:"] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn variables_are_dockers() {
        let ports =
            vec![port(6380, PortProtocol::Tcp), port(53, PortProtocol::Udp), port(6379, PortProtocol::Tcp)];
        let expected = "\
MY_DB_PORT=udp://172.17.0.2:53
MY_DB_PORT_6379_TCP_START=tcp://172.17.0.2:6379
MY_DB_PORT_6379_TCP_ADDR=172.17.0.2
MY_DB_PORT_6379_TCP_PROTO=tcp
MY_DB_PORT_6379_TCP_PORT_START=6379
MY_DB_PORT_6379_TCP_END=tcp://172.17.0.2:6380
MY_DB_PORT_6379_TCP_PORT_END=6380
MY_DB_PORT_53_UDP=udp://172.17.0.2:53
MY_DB_PORT_53_UDP_ADDR=172.17.0.2
MY_DB_PORT_53_UDP_PORT=53
MY_DB_PORT_53_UDP_PROTO=udp
MY_DB_PORT_6379_TCP=tcp://172.17.0.2:6379
MY_DB_PORT_6379_TCP_ADDR=172.17.0.2
MY_DB_PORT_6379_TCP_PORT=6379
MY_DB_PORT_6379_TCP_PROTO=tcp
MY_DB_PORT_6380_TCP=tcp://172.17.0.2:6380
MY_DB_PORT_6380_TCP_ADDR=172.17.0.2
MY_DB_PORT_6380_TCP_PORT=6380
MY_DB_PORT_6380_TCP_PROTO=tcp";
        assert_eq!(port_variables("my-db", "172.17.0.2", ports).join("\n"), expected);
    }
}
