//! The texts of `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf` in a container, as Docker writes them.
//!
//! Pure: who calls reads the host's files and writes the container's.

mod hosts;
mod resolv;

pub use hosts::{Hosts, hosts};
pub use resolv::{resolv_conf, resolv_conf_source};

/// `/etc/hostname`.
pub fn hostname(name: &str) -> String {
    format!("{name}\n")
}
