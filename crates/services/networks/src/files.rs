//! The texts of `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf` in a container, as Docker writes them.
//!
//! Pure: who calls reads the host's files and writes the container's.

use spec::Dns;
use std::net::IpAddr;

/// What `/etc/hosts` names besides loopback.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    /// `(address, names separated by blanks)` of the container itself, one per endpoint.
    pub own: Vec<(IpAddr, String)>,
    /// `name:address` as in `--add-host` (also `name=address`); the address may be `host-gateway`.
    pub extra: Vec<String>,
    /// What `host-gateway` stands for; also entered as `host.docker.internal`, unless `extra` has that name.
    pub host_gateway: Option<IpAddr>,
    /// Whether loopback has its IPv6 address.
    pub ipv6: bool,
}

/// `/etc/hosts`.
///
/// # Errors
/// `Invalid` for an extra host that is not `name:address`.
pub fn hosts(_entries: &Hosts) -> crate::Result<String> {
    todo!()
}

/// `/etc/hostname`.
pub fn hostname(name: &str) -> String {
    format!("{name}\n")
}

/// `/etc/resolv.conf` of a container with its own network namespace.
///
/// `host` is the text of the file that [`resolv_conf_source`] names. Loopback servers are left out, as they answer on the
/// host only; when none remains, public ones stand in.
pub fn resolv_conf(_host: &str, _dns: &Dns, _ipv6: bool) -> String {
    todo!()
}

/// Which file of the host holds its real name servers: systemd-resolved's when `/etc/resolv.conf` names only its stub.
pub fn resolv_conf_source(_host: &str) -> &'static str {
    todo!()
}
