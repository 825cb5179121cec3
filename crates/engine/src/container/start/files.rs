//! The files that the engine writes into a container's `/etc`.

use crate::Services;
use crate::container::links;
use crate::container::network::Network;
use crate::container::user_namespace;
use crate::names;
use containers::Record;
use durable::Sync;
use errors::{Error, Result};
use networks::files::{self, Hosts};
use networks::{Driver, Endpoint};
use runtime::bundle::ResolvedMount;
use spec::{IdMaps, NetworkMode};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Where those files are on the host.
#[derive(Debug, Clone)]
pub struct Files {
    /// `/etc/hosts`.
    pub hosts: PathBuf,
    /// `/etc/hostname`.
    pub hostname: PathBuf,
    /// `/etc/resolv.conf`.
    pub resolv_conf: PathBuf,
}

impl Files {
    pub(in crate::container) fn of(services: &Services, id: &ids::ContainerId) -> Self {
        let dir = services.container_dir(id);
        Self {
            hosts: dir.join("hosts"),
            hostname: dir.join("hostname"),
            resolv_conf: dir.join("resolv.conf"),
        }
    }
}

/// Writes them and answers their mounts; those that the client mounts something over are left out by their target.
pub(super) fn write(
    services: &Services,
    record: &Record,
    network: &Network,
    ids: Option<&IdMaps>,
) -> Result<Vec<ResolvedMount>> {
    // Files of a container whose namespace is joined are its own.
    let owner = match &record.spec.network.mode {
        NetworkMode::Container(other) => services.containers.find(other)?.id().clone(),
        _ => record.id.clone(),
    };
    let files = Files::of(services, &owner);
    if owner == record.id {
        write_own(services, record, network, &files)?;
        for path in [&files.hosts, &files.hostname, &files.resolv_conf] {
            user_namespace::chown_to_root(path, ids)?;
        }
    }
    Ok([
        ("/etc/hosts", &files.hosts),
        ("/etc/hostname", &files.hostname),
        ("/etc/resolv.conf", &files.resolv_conf),
    ]
    .into_iter()
    .map(|(target, source)| ResolvedMount {
        target: target.into(),
        source: source.display().to_string(),
        fstype: "bind".into(),
        // As read-only as the root that they stand in.
        options: ["rbind", "ro", "rprivate"]
            .into_iter()
            .filter(|option| *option != "ro" || record.spec.filesystem.read_only)
            .map(str::to_owned)
            .collect(),
    })
    .collect())
}

fn write_own(services: &Services, record: &Record, network: &Network, files: &Files) -> Result<()> {
    let hostname = hostname(record);
    durable::write_atomic(&files.hostname, files::hostname(&hostname).as_bytes(), Sync::None)?;

    let text = hosts_text(services, record, &network.endpoints)?;
    durable::write_atomic(&files.hosts, text.as_bytes(), Sync::None)?;

    let host_mode = matches!(record.spec.network.mode, NetworkMode::Host);
    let host = host_text("/etc/resolv.conf");
    let dns = &record.spec.network.dns;
    let text = if host_mode && *dns == spec::Dns::default() {
        host
    } else if names::asks_netd(record) {
        let servers = names::chosen_name_servers(services, record, &network.endpoints);
        files::resolver_conf(&host_resolv_conf(), dns, &servers)
    } else {
        files::resolv_conf(&host_resolv_conf(), dns, false)
    };
    durable::write_atomic(&files.resolv_conf, text.as_bytes(), Sync::None)?;
    Ok(())
}

/// `/etc/hosts` for a container with these attachments.
fn hosts_text(
    services: &Services,
    record: &Record,
    endpoints: &BTreeMap<String, Endpoint>,
) -> Result<String> {
    if matches!(record.spec.network.mode, NetworkMode::Host) {
        return Ok(host_text("/etc/hosts"));
    }
    let hostname = hostname(record);
    let names = match record.spec.domainname.as_str() {
        "" => hostname,
        domain => format!("{hostname}.{domain} {hostname}"),
    };
    let names = with_short_name(names);
    let addresses = endpoints.values().flat_map(|endpoint| [endpoint.ipv4, endpoint.ipv6]).flatten();
    // Its own network's, which the host answers at for it whatever a firewall says of other networks. On a wire that it shares
    // with the host a container does not reach it.
    let bridged = endpoints.values().filter(|endpoint| {
        services.networks.find(&endpoint.network).is_ok_and(|network| network.driver == Driver::Bridge)
    });
    let mut gateways = bridged.map(|endpoint| endpoint.ipv4.or(endpoint.ipv6)?.gateway).peekable();
    let host_gateway = match gateways.peek() {
        None => None,
        Some(_) => gateways.flatten().next().or_else(|| services.networks.host_gateway()),
    };
    let linked = links::in_force(services, record);
    Ok(files::hosts(&Hosts {
        linked: linked.iter().flat_map(links::Link::hosts).collect(),
        own: addresses.map(|assigned| (assigned.address, names.clone())).collect(),
        extra: record.spec.network.extra_hosts.clone(),
        host_gateway,
        ipv6: services.networks.has_ipv6(),
    })?)
}

/// Brings a running container's `/etc/hosts` to its present attachments. What the container itself has written stays.
pub(crate) fn refresh_hosts(services: &Services, before: &Record, after: &Record) -> Result<()> {
    let old = hosts_text(services, before, &before.endpoints)?;
    let new = hosts_text(services, after, &after.endpoints)?;
    let path = Files::of(services, &after.id).hosts;
    let failed =
        |error: std::io::Error| Error::new(errors::io_class(&error), format!("{}: {error}", path.display()));
    let present = present_hosts(&path).map_err(failed)?;
    let gone = |line: &str| old.lines().any(|other| other == line) && !new.lines().any(|other| other == line);
    let kept = present.lines().filter(|line| !gone(line));
    let came = new.lines().filter(|line| !old.lines().any(|other| other == *line));
    let text: String = kept.chain(came).flat_map(|line| [line, "\n"]).collect();
    // In place: it is this file that the container has mounted.
    std::fs::write(&path, text).map_err(failed)
}

/// Writes the present addresses of a link into a running container's `/etc/hosts`, in the place of earlier ones.
pub(in crate::container) fn relink_hosts(
    services: &Services,
    record: &Record,
    lines: &[(std::net::IpAddr, String)],
) -> Result<()> {
    let path = Files::of(services, &record.id).hosts;
    let failed =
        |error: std::io::Error| Error::new(errors::io_class(&error), format!("{}: {error}", path.display()));
    let present = present_hosts(&path).map_err(failed)?;
    let stale = |line: &str| {
        lines.iter().any(|(_, names)| line.split_once('\t').is_some_and(|(_, old)| old == names))
    };
    let kept = present.lines().filter(|line| !stale(line)).map(str::to_owned);
    let came = lines.iter().map(|(address, names)| format!("{address}\t{names}"));
    let text: String = kept.chain(came).flat_map(|line| [line, "\n".to_owned()]).collect();
    std::fs::write(&path, text).map_err(failed)
}

/// A container's `/etc/hosts`, as far as it is no longer than one may be: the container can write what it likes.
fn present_hosts(path: &Path) -> std::io::Result<String> {
    const LONGEST: u64 = 1 << 20;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(std::io::Error::new(
            std::io::ErrorKind::FileTooLarge,
            "the container has made it too long",
        ));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A name with a domain in it is known by its first part too.
fn with_short_name(names: String) -> String {
    match names.split_once('.') {
        Some((short, _)) if !names.contains(' ') && !short.is_empty() => format!("{names} {short}"),
        _ => names,
    }
}

/// The host's `resolv.conf`, with its real servers.
pub(crate) fn host_resolv_conf() -> String {
    host_text(files::resolv_conf_source(&host_text("/etc/resolv.conf")))
}

fn host_text(path: impl AsRef<Path>) -> String {
    // A host without the file has nothing to say.
    durable::read_optional(path.as_ref())
        .ok()
        .flatten()
        .map_or_else(String::new, |bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// The name that the container has for itself.
pub(in crate::container) fn hostname(record: &Record) -> String {
    let host_network = record.spec.network.mode == NetworkMode::Host;
    if !record.spec.hostname.is_empty() {
        record.spec.hostname.clone()
    } else if host_network {
        host_text("/proc/sys/kernel/hostname").trim().to_owned()
    } else {
        record.id.short().to_owned()
    }
}
