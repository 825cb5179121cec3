//! Kernel parameters of a container's own namespaces.

use super::host::has_sysctl;
use super::resolved::{NetworkNamespace, Resolved};
use spec::{ContainerSpec, JoinMode, NetworkMode};
use std::collections::HashMap;

/// The defaults of Docker, overridden by what the client set.
pub(super) fn of_container(spec: &ContainerSpec, resolved: &Resolved) -> HashMap<String, String> {
    let mut sysctls = HashMap::new();
    if !spec.domainname.is_empty() && spec.namespaces.uts != JoinMode::Host {
        // The specification's `domainname` is unknown to older runtimes; the parameter works with all.
        sysctls.insert("kernel.domainname".to_owned(), spec.domainname.clone());
    }
    if owns_network(spec, resolved) {
        set_existing(&mut sysctls, "net.ipv4.ip_unprivileged_port_start", "0");
        if resolved.id_maps.is_none() {
            // Unprivileged ICMP echo; group ids above a user namespace's map would be refused.
            set_existing(&mut sysctls, "net.ipv4.ping_group_range", "0 2147483647");
        }
    }
    sysctls.extend(spec.security.sysctls.clone());
    sysctls
}

fn owns_network(spec: &ContainerSpec, resolved: &Resolved) -> bool {
    let foreign = matches!(spec.network.mode, NetworkMode::Host | NetworkMode::Container(_));
    !foreign && resolved.network != NetworkNamespace::Host
}

fn set_existing(sysctls: &mut HashMap<String, String>, name: &str, value: &str) {
    if has_sysctl(name) {
        sysctls.insert(name.to_owned(), value.to_owned());
    }
}
