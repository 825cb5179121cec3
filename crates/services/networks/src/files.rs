//! The texts of `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf` in a container, as Docker writes them.
//!
//! Pure: who calls reads the host's files and writes the container's.

mod hosts;
mod resolv;

pub use hosts::{Hosts, extra_host, hosts};
pub use resolv::{ndots_is_chosen, resolv_conf, resolv_conf_source, resolver_conf};

/// `/etc/hostname`.
pub fn hostname(name: &str) -> String {
    format!("{name}\n")
}
