//! From facts to words: what a packet meets, whether it arrives, and what to do about it.

use super::facts::{Barred, Facts, Led, Listening, Way};
use super::{Checked, Step};

/// Concludes. Knows nothing but the facts.
pub(super) fn judge(facts: &Facts) -> Checked {
    let mut report = Report { steps: Vec::new(), next: None };
    if let Some(name) = &facts.stopped {
        report.stop(format!("{name} is not running."), format!("docker start {name}"));
        return report.conclude(facts);
    }
    report.way(facts);
    if report.passes() {
        report.route(facts);
    }
    if report.passes() {
        report.others(facts);
    }
    if report.passes() {
        report.listening(facts);
    }
    report.conclude(facts)
}

struct Report {
    steps: Vec<Step>,
    next: Option<String>,
}

impl Report {
    fn pass(&mut self, finding: impl Into<String>) {
        self.steps.push(Step { finding: finding.into(), passes: true });
    }

    fn stop(&mut self, finding: impl Into<String>, next: impl Into<String>) {
        self.steps.push(Step { finding: finding.into(), passes: false });
        self.next = Some(next.into());
    }

    fn passes(&self) -> bool {
        self.steps.iter().all(|step| step.passes)
    }

    fn way(&mut self, facts: &Facts) {
        let (from, to) = (&facts.from, &facts.to);
        match &facts.way {
            Way::Same => self.pass("Both have the same network, as if they were one machine: 127.0.0.1 will do."),
            Way::Shared { network, talk: true } => {
                self.pass(format!("Both are on the network {network}, whose containers reach each other."));
                self.names(facts, network);
            }
            Way::Shared { network, talk: false } => self.stop(
                format!("Both are on the network {network}, but it keeps its containers apart (enable_icc=false)."),
                "put both on a network without that option: docker network create, docker network connect",
            ),
            Way::Apart { from: own, to: others, published } => self.apart(facts, own, others, published.as_deref()),
            Way::ToHost { network: Some(network) } => {
                self.pass(format!("{from} reaches the host at the gateway of the network {network}."));
            }
            Way::Out { network: Some(network), internal: true, .. } => self.stop(
                format!("The network {network} is internal: nothing on it gets out of it."),
                "connect it to a network that is not internal too: docker network connect",
            ),
            Way::Out { network: Some(network), masquerade, .. } => self.pass(if *masquerade {
                format!("{from} leaves by the network {network}, under the host's address (masquerade).")
            } else {
                format!("{from} leaves by the network {network} under its own address: {to} needs a route back.")
            }),
            Way::ToHost { network: None } | Way::Out { network: None, .. } => self.stop(
                format!("{from} is on no network: it has loopback only."),
                "connect it to one: docker network connect",
            ),
            Way::FromHost { network: Some(network) } => {
                self.pass(format!("The host is on the network {network} itself, through its bridge."));
            }
            Way::FromHost { network: None } => {
                self.stop(format!("{to} is on no network."), "connect it to one: docker network connect");
            }
            Way::Hidden { network } => self.stop(
                format!("The network {network} is on a device of the host's: the host and its containers do not see each other."),
                "connect the container to a bridge network too: docker network connect",
            ),
            Way::Plugged { network } => {
                self.pass(format!("The network {network} is one of plugins. What they let through was not looked at."));
            }
            Way::Unpublished { published: Some(port) } => self.stop(
                format!("Containers' own addresses are known to this host only. {to} is published at {port}."),
                format!("use {port}"),
            ),
            Way::Unpublished { published: None } => self.stop(
                format!("Containers' own addresses are known to this host only, and the port of {to} is not published."),
                "publish it: docker run --publish",
            ),
            Way::Published(led) => self.published(facts, led),
            Way::HostPort { outside: true } => {
                self.pass("No container publishes this port: the packet is for the host's own programs.");
                self.pass("Whether the host's own firewall lets it in was not looked at.");
            }
            Way::HostPort { outside: false } => {
                self.pass("No container publishes this port: the packet is for the host's own programs.");
            }
            Way::Foreign => self.pass("No network of this engine has a part in it."),
        }
    }

    fn names(&mut self, facts: &Facts, network: &str) {
        if facts.names.is_empty() {
            self.pass(format!("On the network {network} nobody is found by name, only by address."));
        } else {
            self.pass(format!("There it is found by the names {}.", facts.names.join(", ")));
        }
    }

    fn apart(&mut self, facts: &Facts, own: &[String], others: &[String], published: Option<&str>) {
        let on = |networks: &[String]| match networks {
            [] => "no network".to_owned(),
            networks => networks.join(", "),
        };
        let finding = format!(
            "{} is on {}, {} on {}: they have no network in common, and different networks are kept apart.",
            facts.from,
            on(own),
            facts.to,
            on(others)
        );
        let connect = match others.first() {
            Some(network) => format!("docker network connect {network} {}", name_of(&facts.from)),
            None => "connect both to one network: docker network connect".to_owned(),
        };
        self.stop(
            finding,
            published.map_or_else(|| connect.clone(), |port| format!("{connect}, or use {port}")),
        );
    }

    fn published(&mut self, facts: &Facts, led: &Led) {
        let Led { host, container, port, barred } = led;
        self.pass(format!(
            "The host's port {host} is published: it leads to port {port} of container {container}."
        ));
        match barred {
            None => {}
            Some(Barred::Loopback) => self.stop(
                format!("It is published on loopback only: {} does not reach it.", facts.from),
                "publish it without an address, or on one that others have",
            ),
            Some(Barred::Internal(network)) => self.stop(
                format!("The network {network} is internal: nothing on it gets out of it."),
                "connect the sender to a network that is not internal too: docker network connect",
            ),
        }
    }

    fn route(&mut self, facts: &Facts) {
        let Some(address) = facts.address else {
            return self.stop(
                format!("{} has no address that {} could send to.", facts.to, facts.from),
                "look at both with docker inspect",
            );
        };
        match &facts.route {
            None => {}
            Some(None) => self.stop(
                format!("{} has no route to {address}.", facts.from),
                "look at its routes: ip route, in its network",
            ),
            Some(Some(chosen)) => {
                let by =
                    chosen.gateway.map(|gateway| format!(" to the gateway {gateway}")).unwrap_or_default();
                self.pass(format!(
                    "Its kernel sends packets for {address} by the device {}{by}.",
                    chosen.device
                ));
            }
        }
    }

    /// Only what crosses the host meets what others do to forwarded packets.
    fn others(&mut self, facts: &Facts) {
        for chain in &facts.shut {
            self.stop(
                format!("The chain {chain}, another program's, drops forwarded packets by its policy."),
                format!("let that chain accept what comes from containers: nft list chain {chain}"),
            );
        }
    }

    fn listening(&mut self, facts: &Facts) {
        let list = |ports: &[u16]| ports.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
        match &facts.listening {
            Listening::Unknown => {}
            Listening::Yes => self.pass("A program listens on the port."),
            Listening::Elsewhere(at) => {
                let at: Vec<String> = at.iter().map(ToString::to_string).collect();
                self.stop(
                    format!("A program listens on the port, but only at {}.", at.join(", ")),
                    "let it listen at 0.0.0.0 (or [::])",
                );
            }
            Listening::No(others) if others.is_empty() => {
                self.stop(
                    "No program listens on the port, nor on any other.",
                    "start the program that should",
                );
            }
            Listening::No(others) => self.stop(
                format!("No program listens on the port; there are some on {}.", list(others)),
                "use the port that it listens on, or start the program that should",
            ),
        }
    }

    fn conclude(self, facts: &Facts) -> Checked {
        let reachable = self.passes();
        let verb = match (reachable, &facts.listening) {
            (true, Listening::Yes) => "reaches",
            // What is at the other end is not this engine's to see.
            (true, _) => "can send to",
            (false, _) => "does not reach",
        };
        let verdict = format!("{} {verb} {}.", facts.from, facts.to);
        Checked { steps: self.steps, reachable, verdict, next: self.next }
    }
}

/// `container web` without its first word.
fn name_of(words: &str) -> &str {
    words.strip_prefix("container ").unwrap_or(words)
}
