//! Publishing a container's ports, and withdrawing them.

use crate::host::Host;
use crate::ports::{Ports, wanted};
use crate::{Endpoint, Error, Network, Networks, Published, Result};
use ids::{ContainerId, EndpointId};
use net::Elements;
use net::firewall::PortRule;
use parking_lot::Mutex;
use spec::PortBinding;
use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::sync::Arc;

impl Networks {
    /// Publishes ports of a container, which lead to this endpoint of it, and enters them there. `name_of` says what the container
    /// with an endpoint is called, for the error.
    ///
    /// # Errors
    /// `Conflict` for a port that another container or a program of the host has, `Unavailable` when none is free, `Invalid` for an
    /// address that the host does not have. Nothing is published then.
    pub async fn publish(
        self: &Arc<Self>,
        endpoint: &mut Endpoint,
        bindings: &[PortBinding],
        name_of: impl Fn(&Endpoint) -> String + Send + 'static,
    ) -> Result<()> {
        if bindings.is_empty() {
            return Ok(());
        }
        let live = self.find_live(endpoint.network_id.as_str())?;
        let Some(bridged) = &live.bridged else { return Ok(()) };
        let host = Arc::clone(&bridged.host);
        let (wanted, usual) = (wanted(bindings), usual_host(&live.record));
        let (this, mut published) = (Arc::clone(self), endpoint.clone());
        let published = offload::blocking(move || {
            // Held until the ports are known to be this endpoint's.
            let mut ports = this.ports.lock();
            let holder = |one: &Published| holder_of(&this.attached, &published.container, one, &name_of);
            published.ports = ports.find(&published, &wanted, usual, &[], &holder)?;
            this.add_ports(&ports, &published, &published.ports)?;
            reflect(&host, &published);
            if let Some(known) = this.attached.lock().get_mut(&published.id) {
                known.ports.clone_from(&published.ports);
            }
            Ok::<_, Error>(published)
        })
        .await?;
        *endpoint = published;
        Ok(())
    }

    /// Takes an endpoint's ports back, two messages to the kernel, and its addresses; says whether it was known.
    pub(crate) fn withdraw(&self, endpoint: &Endpoint) -> bool {
        // Else a table that is just being written, or a verb that leads ports to it just now, would have them for good.
        let _held = self.ports.lock();
        let Some(endpoint) = self.attached.lock().get(&endpoint.id).cloned() else { return false };
        if !endpoint.ports.is_empty()
            && let Err(error) = self.write_ports(&endpoint, &endpoint.ports, Elements::remove)
        {
            tracing::warn!(container = endpoint.container.short(), error = %errors::chain(&error), "withdraw ports");
        }
        self.forget(&endpoint)
    }

    /// Lets ports lead to an endpoint. `held` are the ports that nobody else changes meanwhile.
    pub(crate) fn add_ports(&self, held: &Ports, endpoint: &Endpoint, ports: &[Published]) -> Result<()> {
        match self.write_ports(endpoint, ports, Elements::add) {
            // Flushed a moment ago, and not written again yet; or `nft` was missing, and may be there by now.
            Err(Error::Kernel(error)) if error.is_absent() => {
                self.write_table(held).map_err(|source| Error::NotPublished { source })?;
                self.write_ports(endpoint, ports, Elements::add)
            }
            Err(Error::Kernel(source)) if source.is_no_filter() => Err(Error::NotPublished { source }),
            written => written,
        }
    }

    /// The rules of everything that is published now.
    pub(crate) fn port_rules(&self) -> Vec<PortRule> {
        rules_of(&self.attached.lock())
    }

    pub(crate) fn write_ports(
        &self,
        endpoint: &Endpoint,
        ports: &[Published],
        write: impl Fn(&mut Elements, &str, &[net::Element]) -> net::Result<()>,
    ) -> Result<()> {
        let mut by_map: BTreeMap<&str, Vec<net::Element>> = BTreeMap::new();
        for rule in ports.iter().filter_map(|one| one.rule(endpoint)) {
            by_map.entry(rule.map()).or_default().extend(rule.elements());
        }
        if by_map.is_empty() {
            return Ok(());
        }
        let mut socket = self.elements.lock();
        let elements = match &mut *socket {
            Some(open) => open,
            None => socket.insert(Elements::open(&self.config.table)?),
        };
        for (map, part) in &by_map {
            if let Err(error) = write(elements, map, part) {
                for (other, part) in by_map.iter().take_while(|(other, _)| *other != map) {
                    elements.remove(other, part)?;
                }
                return Err(error.into());
            }
        }
        Ok(())
    }
}

/// Who has one of these ports, in words: a container other than the one that asks, or a program of the host.
pub(crate) fn holder_of(
    attached: &Mutex<HashMap<EndpointId, Endpoint>>,
    own: &ContainerId,
    wanted: &Published,
    name_of: &dyn Fn(&Endpoint) -> String,
) -> Result<Option<String>> {
    let attached = attached.lock();
    let mut others = attached.values().filter(|endpoint| endpoint.container != *own);
    let other = others.find(|endpoint| endpoint.ports.iter().any(|one| one.collides(wanted)));
    if let Some(other) = other {
        return Ok(Some(format!("container {}", name_of(other))));
    }
    drop(attached);
    let protocol = wanted.transport();
    let range = wanted.first..=wanted.last;
    let taken = net::listening::first_taken(wanted.host, protocol, range, &is_netd);
    let Some((port, error)) = taken else {
        return Ok(None);
    };
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            let program = net::listening::holder(protocol, port);
            Ok(Some(
                program
                    .map_or_else(|| "a program of the host".to_owned(), |name| format!("the host's {name}")),
            ))
        }
        _ => Err(Error::NotBound { host: wanted.host, port, source: error }),
    }
}

/// The rules of everything that these endpoints publish.
pub(crate) fn rules_of(attached: &HashMap<EndpointId, Endpoint>) -> Vec<PortRule> {
    let rules =
        attached.values().flat_map(|endpoint| endpoint.ports.iter().map(move |one| one.rule(endpoint)));
    rules.flatten().collect()
}

/// Whether a process is a netd: it listens for names at gateways, and at ::1 for ports that are published. Neither keeps a port from
/// being published.
fn is_netd(pid: u32) -> bool {
    let arguments = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let ours = |which: &str| std::fs::metadata(format!("/proc/{which}/exe")).ok();
    let same = |one: std::fs::Metadata, other: std::fs::Metadata| {
        (one.dev(), one.ino()) == (other.dev(), other.ino())
    };
    arguments.split(|byte| *byte == 0).nth(1) == Some(b"netd")
        && ours("self").zip(ours(&pid.to_string())).is_some_and(|(one, other)| same(one, other))
}

/// Lets a container reach its own published ports.
pub(crate) fn reflect(host: &Host, endpoint: &Endpoint) {
    if let Some(device) = &endpoint.host_device
        && let Err(error) = host.reflect(device)
    {
        // Only the container itself can't reach them then, and only on some hosts.
        tracing::debug!(device, error = %errors::chain(&error), "reflect packets");
    }
}

/// The address at which ports without one of their own are published, where the network's options name one.
pub(crate) fn usual_host(network: &Network) -> Option<IpAddr> {
    const OPTION: &str = "com.docker.network.bridge.host_binding_ipv4";
    let host: IpAddr = network.options.get(OPTION)?.parse().ok()?;
    (!host.is_unspecified()).then_some(host)
}
