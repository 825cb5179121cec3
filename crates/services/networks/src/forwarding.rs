//! What the host has to do for networks as a whole: forwarding, the packet filter, every bridge.

use crate::live::Live;
use crate::{Config, Result, audit};
use net::firewall::{self, Others, PortRule, Rules};
use net::{Bridge, Socket, link, sysctl};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Works {
    /// What does not work on this host, in sentences.
    pub(crate) warnings: Vec<String>,
    /// Whether the table could not be written.
    pub(crate) lacks_table: bool,
}

impl Works {
    /// Takes the place of what was known, and logs what is new.
    pub(crate) fn replace(self, known: &mut Self) {
        for warning in self.warnings.iter().filter(|warning| !known.warnings.contains(warning)) {
            tracing::warn!(warning, "networks work less well than they should");
        }
        *known = self;
    }
}

/// Makes all bridges and writes the table, and turns forwarding on where there is one: without, nothing would keep networks apart.
/// Also answers what became of the table.
pub(crate) fn set_up(
    config: &Config,
    networks: &[Arc<Live>],
    ports: Vec<PortRule>,
    others: &mut Others,
) -> (Works, net::Result<()>) {
    let mut warnings = Vec::new();
    let bridged: Vec<_> = networks.iter().filter_map(|live| live.bridged.as_ref()).collect();
    // First who judges what comes to published ports, then these. The rules name bridges that need not be there, and packets may be
    // waiting for them.
    let looked = others.look(true);
    let bridges = bridged.iter().map(|bridge| bridge.rules.clone()).collect();
    let written = firewall::write(&Rules { table: config.table.clone(), bridges, ports });
    match &written {
        Ok(()) => {
            warnings.extend(allow("ipv4/ip_forward"));
            if networks.iter().any(|network| network.record.enable_ipv6 && network.bridged.is_some()) {
                warnings.extend(allow_ipv6());
            }
        }
        Err(error) => warnings.extend(unwritten(config, error)),
    }
    for bridge in &bridged {
        if let Err(error) = bridge.host.ensure() {
            warnings.push(format!(
                "the bridge {} can't be made: {}",
                bridge.host.bridge(),
                errors::chain(&error)
            ));
        }
    }
    let branched: Vec<_> = networks.iter().filter_map(|live| live.branched.as_ref()).collect();
    for error in branched.iter().filter_map(|branched| branched.parent.ensure().err()) {
        warnings.push(errors::chain(&error).to_string());
    }
    match looked {
        // That is said above.
        _ if written.is_err() => {}
        Ok(trouble) => {
            for bridge in &bridged {
                bridge.host.allow_loopback();
            }
            warnings.extend(trouble.shut.into_iter().map(|chain| {
                format!("containers may reach this host only: the chain {chain} drops forwarded packets by its policy")
            }));
            warnings.extend(trouble.left_out.into_iter().map(|rule| {
                format!("this rule of the host's firewall says nothing about published ports: {rule}")
            }));
        }
        Err(error) => warnings.push(format!(
            "what the host's firewall does to containers' packets is not known: {}",
            errors::chain(&error)
        )),
    }
    (Works { warnings, lacks_table: written.is_err() }, written)
}

/// What does not work where the table can't be written.
fn unwritten(config: &Config, error: &net::Error) -> Vec<String> {
    let error = errors::chain(error);
    if firewall::is_there(&config.table).is_ok_and(|there| there) {
        return vec![format!(
            "no network can be added to the packet filter, which is as it was the last time: {error}"
        )];
    }
    let mut warnings =
        vec![format!("containers do not reach the world, and no port can be published: {error}")];
    if sysctl::read("ipv4/ip_forward").is_ok_and(|value| value == "1") {
        warnings.push(
            "networks are not kept apart: this host forwards packets (net.ipv4.ip_forward) and has no packet filter"
                .to_owned(),
        );
    }
    warnings
}

/// Lets IPv6 packets pass from device to device. Says what hinders it.
pub(crate) fn allow_ipv6() -> Option<String> {
    // A host that forwards no longer listens to the routers that its own default route comes from, unless it is told to.
    for device in devices_with_advertised_routes() {
        if let Err(error) = sysctl::ensure(&format!("ipv6/conf/{device}/accept_ra"), "2") {
            tracing::warn!(device, error = %errors::chain(&error), "the host may lose its IPv6 default route");
        }
    }
    allow("ipv6/conf/all/forwarding")
}

/// Devices that take routes from routers as long as the host does not forward.
fn devices_with_advertised_routes() -> Vec<String> {
    if sysctl::read("ipv6/conf/all/forwarding").is_ok_and(|value| value == "1") {
        return Vec::new();
    }
    let links = Socket::open().and_then(|mut socket| link::list(&mut socket, None)).unwrap_or_default();
    let names = links.into_iter().map(|link| link.name);
    let listens =
        |name: &String| sysctl::read(&format!("ipv6/conf/{name}/accept_ra")).is_ok_and(|value| value == "1");
    names.filter(|name| name != "lo").filter(listens).collect()
}

fn allow(parameter: &str) -> Option<String> {
    match sysctl::ensure(parameter, "1") {
        Ok(changed) => {
            if changed {
                tracing::info!(parameter, "forwarding was off, it is on now");
            }
            None
        }
        Err(error) => Some(format!("containers reach this host only: {}", errors::chain(&error))),
    }
}

/// Removes devices of networks that were not recorded, or not forgotten, before the daemon died. At the start alone: later some may be
/// just about to be recorded.
pub(crate) fn remove_strays(config: &Config, networks: &[Arc<Live>]) {
    if config.keep_strays {
        return;
    }
    let bridges = networks.iter().filter_map(|live| Some(live.bridged.as_ref()?.host.bridge()));
    let parents = networks.iter().filter_map(|live| Some(live.branched.as_ref()?.parent.device()));
    let known: BTreeSet<&str> = bridges.chain(parents).collect();
    let found = audit::devices().and_then(|devices| {
        let mut socket = Socket::open()?;
        for stray in audit::strays(&config.table, &devices, &known) {
            tracing::info!(
                disagreement = audit::flaws::BRIDGE_STRAY,
                bridge = stray,
                "a bridge of no network is removed"
            );
            Bridge::remove(&mut socket, stray, &config.table)?;
        }
        Ok(())
    });
    if let Err(error) = found {
        tracing::warn!(error = %errors::chain(&error), "a bridge of no network may be left over");
    }
}

/// Deletes the table.
pub(crate) fn remove_table(config: &Config) -> Result<()> {
    Ok(firewall::remove(&config.table)?)
}
