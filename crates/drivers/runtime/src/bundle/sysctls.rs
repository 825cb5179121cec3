//! Kernel parameters of a container's own namespaces.

use super::host::has_sysctl;
use super::resolved::{NetworkNamespace, Resolved};
use spec::{ContainerSpec, JoinMode};
use std::collections::HashMap;

/// The defaults of Docker, overridden by what the client set.
pub(super) fn of_container(spec: &ContainerSpec, resolved: &Resolved) -> HashMap<String, String> {
    let mut sysctls = HashMap::new();
    if !spec.domainname.is_empty() && spec.namespaces.uts != JoinMode::Host {
        // The specification's `domainname` is unknown to older runtimes; the parameter works with all.
        sysctls.insert("kernel.domainname".to_owned(), spec.domainname.clone());
    }
    // A namespace that is joined has been given these by whoever made it.
    if resolved.network == NetworkNamespace::New {
        set_existing(&mut sysctls, "net.ipv4.ip_unprivileged_port_start", "0");
        if resolved.id_maps.is_none() {
            // Unprivileged ICMP echo; group ids above a user namespace's map would be refused.
            set_existing(&mut sysctls, "net.ipv4.ping_group_range", "0 2147483647");
        }
    }
    sysctls.extend(spec.security.sysctls.clone());
    sysctls
}

fn set_existing(sysctls: &mut HashMap<String, String>, name: &str, value: &str) {
    if has_sysctl(name) {
        sysctls.insert(name.to_owned(), value.to_owned());
    }
}
