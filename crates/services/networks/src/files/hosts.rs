//! `/etc/hosts`.

use crate::{Error, Result};
use std::fmt::Write as _;
use std::net::IpAddr;

const GATEWAY_NAME: &str = "host.docker.internal";

/// What `/etc/hosts` names besides loopback.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hosts {
    /// `(address, names separated by blanks)` of the container itself, one per endpoint.
    pub own: Vec<(IpAddr, String)>,
    /// `name:address` as in `--add-host` (also `name=address`); the address may be `host-gateway`.
    pub extra: Vec<String>,
    /// Containers that it has links to, likewise.
    pub linked: Vec<(IpAddr, String)>,
    /// What `host-gateway` stands for. A container with an address of its own also finds it as `host.docker.internal`,
    /// unless `extra` has that name.
    pub host_gateway: Option<IpAddr>,
    /// Whether loopback has its IPv6 address.
    pub ipv6: bool,
}

/// `/etc/hosts`: loopback, the client's entries, the host, the container itself.
///
/// # Errors
/// `Invalid` for an extra host that is not `name:address`.
pub fn hosts(entries: &Hosts) -> Result<String> {
    let mut text = String::from("127.0.0.1\tlocalhost\n");
    if entries.ipv6 {
        text.push_str("::1\tlocalhost ip6-localhost ip6-loopback\n");
        text.push_str("fe00::\tip6-localnet\nff00::\tip6-mcastprefix\n");
        text.push_str("ff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n");
    }
    let mut names_gateway = false;
    for extra in &entries.extra {
        let (name, address) = extra_host(extra)?;
        let address = address.or(entries.host_gateway).ok_or_else(|| bad(extra))?;
        names_gateway |= name == GATEWAY_NAME;
        line(&mut text, address, name);
    }
    if let Some(gateway) = entries.host_gateway
        && !names_gateway
        && !entries.own.is_empty()
    {
        line(&mut text, gateway, GATEWAY_NAME);
    }
    for (address, names) in entries.linked.iter().chain(&entries.own) {
        line(&mut text, *address, names);
    }
    Ok(text)
}

fn line(text: &mut String, address: IpAddr, names: &str) {
    // Writing to a String can't fail.
    let _ = writeln!(text, "{address}\t{names}");
}

/// Reads what `--add-host` says: a name and its address; none: the host's, `host-gateway`.
///
/// The separator is the first `=`, else the first `:`, as IPv6 addresses have more of the latter; they may stand in
/// brackets.
///
/// # Errors
/// `Invalid` for what is not `name:address`.
pub fn extra_host(text: &str) -> Result<(&str, Option<IpAddr>)> {
    let bad = || bad(text);
    let (name, address) = text.split_once('=').or_else(|| text.split_once(':')).ok_or_else(bad)?;
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(bad());
    }
    if address == "host-gateway" {
        return Ok((name, None));
    }
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
    Ok((name, Some(bare.parse().map_err(|_| bad())?)))
}

fn bad(text: &str) -> Error {
    Error::BadHost { text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn the_lines_are_dockers_and_the_host_has_a_name() {
        let entries = Hosts {
            own: vec![(ip("172.20.0.2"), "web.example.org web".into())],
            extra: vec!["foo:1.2.3.4".into(), "gw:host-gateway".into(), "six:::1".into(), "b=[::2]".into()],
            linked: vec![(ip("172.20.0.3"), "db 0123 data".into())],
            host_gateway: Some(ip("172.20.0.1")),
            ipv6: true,
        };
        let expected = "\
127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
1.2.3.4\tfoo
172.20.0.1\tgw
::1\tsix
::2\tb
172.20.0.1\thost.docker.internal
172.20.0.3\tdb 0123 data
172.20.0.2\tweb.example.org web
";
        assert_eq!(hosts(&entries).unwrap(), expected);
    }

    #[test]
    fn a_container_without_an_address_finds_no_host() {
        let entries = Hosts { host_gateway: Some(ip("172.20.0.1")), ..Hosts::default() };
        assert_eq!(hosts(&entries).unwrap(), "127.0.0.1\tlocalhost\n");
    }

    #[test]
    fn the_clients_own_entry_for_the_host_wins() {
        let entries = Hosts {
            own: vec![(ip("172.20.0.2"), "web".into())],
            extra: vec!["host.docker.internal:10.0.0.1".into()],
            linked: Vec::new(),
            host_gateway: Some(ip("172.20.0.1")),
            ipv6: false,
        };
        assert_eq!(
            hosts(&entries).unwrap(),
            "127.0.0.1\tlocalhost\n10.0.0.1\thost.docker.internal\n172.20.0.2\tweb\n"
        );
    }

    #[test]
    fn lines_that_are_no_hosts_are_refused() {
        for bad in [
            "foo",
            "foo:",
            ":1.2.3.4",
            "foo:bar",
            "a b:1.2.3.4",
            "foo:1.2.3.4\n6.6.6.6 bank",
            "gw:host-gateway",
        ] {
            let entries = Hosts { extra: vec![bad.into()], ..Hosts::default() };
            assert!(matches!(hosts(&entries), Err(Error::BadHost { .. })), "{bad}");
        }
    }
}
