//! What the engine's configuration says about networks.

use ipnet::{Ipv4Net, Ipv6Net};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};

/// A range from which networks of one size are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddressPool {
    /// The whole range.
    pub base: Ipv4Net,
    /// Prefix length of each network cut from it.
    pub size: u8,
}

/// What the engine's configuration says about networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Name of the default bridge, at most 15 bytes.
    pub bridge: String,
    /// Where the default bridge's subnet is looked for first.
    pub preferred_subnet: Option<Ipv4Net>,
    /// Whether `preferred_subnet` came from a person: then a collision is an error, not a reason to take another.
    pub subnet_is_fixed: bool,
    /// Whether containers have addresses of the default bridge: then it keeps its subnet, whatever a person has configured since.
    pub bridge_in_use: bool,
    /// Where it is looked for next; every choice avoids all routes and addresses of the host.
    pub pools: Vec<AddressPool>,
    /// Where the subnets of networks that clients make come from.
    pub further_pools: Vec<AddressPool>,
    /// IPv6 subnet of the default bridge; none: IPv4 only.
    pub ipv6: Option<Ipv6Net>,
    /// Whether networks that a client makes have IPv6 unless it says otherwise.
    pub ipv6_by_default: bool,
    /// MTU of the bridge and of the containers' devices; none: the default route's, at most 1500.
    pub mtu: Option<u32>,
    /// Name of this engine's nftables table.
    pub table: String,
    /// How many namespaces are kept prepared; 0: each is made when it is wanted.
    pub prepared: usize,
    /// Whether published ports are open whatever the host's input policy says.
    pub bypass_firewall: bool,
    /// Whether containers reach the world: forwarding and masquerading.
    pub masquerade: bool,
    /// Where files keep the namespaces that plugins are at work on: in a directory that does not survive a reboot.
    pub namespaces: PathBuf,
    /// Where CNI configurations are.
    pub plugin_networks: PathBuf,
    /// Where CNI plugins are, in the order in which they are looked for.
    pub plugins: Vec<PathBuf>,
    /// Whether devices stay at the start that no network or container has: they may be of some that the store does not know.
    pub keep_strays: bool,
}

impl Config {
    /// The host's engine: bridge `ctr0`, subnet 172.20.0.0/16, table `container-runtime`.
    pub fn host() -> Self {
        Self {
            bridge: "ctr0".to_owned(),
            preferred_subnet: Some(net_v4([172, 20, 0, 0], 16)),
            subnet_is_fixed: false,
            bridge_in_use: false,
            pools: default_pools(),
            further_pools: further_pools(),
            ipv6: None,
            ipv6_by_default: false,
            mtu: None,
            table: "container-runtime".to_owned(),
            prepared: 8,
            bypass_firewall: false,
            masquerade: true,
            namespaces: "/run/container-runtime/netns".into(),
            plugin_networks: "/etc/cni/net.d".into(),
            plugins: vec!["/opt/cni/bin".into(), "/usr/lib/cni".into()],
            keep_strays: false,
        }
    }

    /// A private engine, whose names derive from its root directory: `ctr` and 8 hexadecimal digits.
    pub fn private(root: &Path) -> Self {
        let suffix = private_suffix(root);
        Self {
            bridge: format!("ctr{suffix}"),
            preferred_subnet: None,
            table: format!("container-runtime-{suffix}"),
            namespaces: root.join("netns"),
            ..Self::host()
        }
    }
}

/// Eight hexadecimal digits that stand for the root directory of a private engine in the names of what it makes in the
/// kernel. They are the same for every build, so that an upgraded daemon finds its own things.
pub fn private_suffix(root: &Path) -> String {
    let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
    digest.iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

fn default_pools() -> Vec<AddressPool> {
    vec![
        AddressPool { base: net_v4([172, 16, 0, 0], 12), size: 16 },
        AddressPool { base: net_v4([192, 168, 0, 0], 16), size: 20 },
        AddressPool { base: net_v4([10, 0, 0, 0], 8), size: 20 },
    ]
}

/// Room for more than 65,000 networks: those that run out of addresses are fewer than those that run out of networks.
fn further_pools() -> Vec<AddressPool> {
    vec![
        AddressPool { base: net_v4([172, 16, 0, 0], 12), size: 20 },
        AddressPool { base: net_v4([10, 0, 0, 0], 8), size: 24 },
    ]
}

fn net_v4(octets: [u8; 4], prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(octets.into(), prefix)
}
