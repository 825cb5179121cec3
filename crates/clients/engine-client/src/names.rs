//! Host names to addresses without the C library: literal addresses, then `/etc/hosts`.
//!
//! The programs are linked statically, so there is no `getaddrinfo`; asking DNS is left to the user.

use std::net::{IpAddr, Ipv4Addr};

/// The addresses of `name`; empty when it is neither literal nor in the hosts file.
pub(crate) fn lookup(name: &str) -> Vec<IpAddr> {
    if let Ok(address) = name.parse() {
        return vec![address];
    }
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap_or_default();
    let mut found = in_hosts(&hosts, name);
    if found.is_empty() && name.eq_ignore_ascii_case("localhost") {
        found.push(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    found
}

fn in_hosts(hosts: &str, name: &str) -> Vec<IpAddr> {
    hosts
        .lines()
        .filter_map(|line| {
            let mut words = line.split('#').next().unwrap_or_default().split_ascii_whitespace();
            let address = words.next()?.parse().ok()?;
            words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_lines_with_comments_and_aliases() {
        let hosts = "127.0.0.1 localhost\n10.0.0.9\tdb db.lan # the database\n# 10.0.0.8 db\n::1 db\n";
        assert_eq!(in_hosts(hosts, "DB"), ["10.0.0.9".parse::<IpAddr>().unwrap(), "::1".parse().unwrap()]);
        assert!(in_hosts(hosts, "database").is_empty());
    }
}
