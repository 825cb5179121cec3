//! Published ports at `::1`, which the kernel does not translate: what comes there is carried to the container.
//!
//! The kernel sends nothing from ::1 to another device, and gives nothing that comes from one to ::1. So whoever on the host asks for
//! a published port by that address is met here. A task for each connection, all on the runtime of the caller; bytes of
//! streams stay in the kernel ([`stream`]). The container sees the address of its gateway.

mod datagrams;
mod stream;

use netd_protocol::Port;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use tokio::task::JoinHandle;

/// Where it listens.
const LOOPBACK: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// One port that is listened on, and where it leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Carried {
    protocol: u8,
    port: u16,
    target: SocketAddr,
}

/// Who listens on a port. Connections that were accepted go on without it.
#[derive(Debug)]
struct Listening(JoinHandle<()>);

impl Listening {
    /// Returns when nobody has the port any more.
    async fn end(self) {
        self.0.abort();
        // That it was aborted.
        let _ = self.0.await;
    }
}

/// The ports that are carried, by container.
#[derive(Debug, Default)]
pub struct Carrier {
    containers: HashMap<String, HashMap<Carried, Listening>>,
}

impl Carrier {
    /// Carries these ports of a container from now on, those of them that are at `::1`, and no others of it. Says which of them can't
    /// be.
    pub async fn put(&mut self, container: &str, ports: &[Port]) -> Vec<String> {
        let mut before = self.containers.remove(container).unwrap_or_default();
        let (wanted, mut warnings) = carried(ports);
        let stays = wanted.iter().filter_map(|one| before.remove_entry(one));
        let mut listening: HashMap<Carried, Listening> = stays.collect();
        // A port may come back with another target.
        for one in before.into_values() {
            one.end().await;
        }
        for one in wanted {
            if listening.contains_key(&one) {
                continue;
            }
            match listen(one) {
                Ok(started) => drop(listening.insert(one, started)),
                Err(error) => warnings.push(format!("[::1]:{} leads to no container: {error}", one.port)),
            }
        }
        if !listening.is_empty() {
            self.containers.insert(container.to_owned(), listening);
        }
        warnings
    }

    /// Carries nothing of a container any more. Not an error where nothing was.
    pub async fn remove(&mut self, container: &str) {
        for one in self.containers.remove(container).into_iter().flat_map(HashMap::into_values) {
            one.end().await;
        }
    }
}

/// What of these ports is at `::1`, and what of that is too much.
fn carried(ports: &[Port]) -> (Vec<Carried>, Vec<String>) {
    let (mut found, mut warnings) = (Vec::new(), Vec::new());
    for port in ports {
        if !port.is_at_loopback() {
            continue;
        }
        if !port.is_carried() {
            let (first, last) = (port.first, port.last);
            warnings.push(format!(
                "[::1]:{first}-{last} leads to no container: of so many ports the kernel's are enough"
            ));
            continue;
        }
        let pairs = (port.first..=port.last).zip(port.target_port..);
        found.extend(pairs.map(|(own, target)| Carried {
            protocol: port.protocol,
            port: own,
            target: SocketAddr::new(port.target, target),
        }));
    }
    (found, warnings)
}

fn listen(one: Carried) -> std::io::Result<Listening> {
    let own = SocketAddr::new(LOOPBACK, one.port);
    let task = if one.protocol == Port::TCP {
        tokio::spawn(stream::serve(stream::listen(own)?, one.target))
    } else {
        tokio::spawn(datagrams::serve(datagrams::listen(own)?, one.target))
    };
    Ok(Listening(task))
}

#[cfg(test)]
mod tests;
