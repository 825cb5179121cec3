//! Who is asked for names where the client names nobody.

use crate::Services;
use config::Settings;
use spec::{NetworkMode, NetworkRequest};

/// What the client leaves open of servers, domains and options is the daemon's choice: `dns` and `network.dns_server`.
pub(super) fn default(services: &Services, settings: &Settings, network: &mut NetworkRequest) {
    // Others have the files of whoever's network they are on.
    if !matches!(network.mode, NetworkMode::Default | NetworkMode::Named(_)) {
        return;
    }
    let dns = &settings.dns;
    if network.dns.servers.is_empty() {
        let first = settings.network.dns_server.filter(|server| !crate::names::is_own(services, *server));
        let servers = first.into_iter().chain(dns.servers.iter().copied());
        network.dns.servers = servers.map(|server| server.to_string()).collect();
    }
    if network.dns.search.is_empty() {
        network.dns.search.clone_from(&dns.search);
    }
    if network.dns.options.is_empty() {
        network.dns.options.clone_from(&dns.options);
    }
}
