//! `network`: the default bridge, and what networks have unless they say otherwise.

use crate::Key;
use crate::Kind::{Address, Bool, List, Number, Path, Subnet, Text};

pub(super) const KEYS: [Key; 9] = [
    Key::new("network.default_bridge", Text, "Device name of the default bridge, at most 15 bytes.").or("`ctr0`; an engine with another root directory than the usual derives one from that"),
    Key::new("network.ip_range", Subnet, "The default bridge's subnet when it is made, and where the subnets of networks made after a change of it come from. Networks that are there keep their addresses.").or("172.20.0.0/16 if it is free, else the next free one").new_ones("networks"),
    Key::new("network.dns_server", Address, "Server that containers ask for names. The gateway of a network of theirs: the engine's own server there, in the place of 127.0.0.11. Any other address: what the engine's own server asks for names that are no container's, before `dns.servers`.").or("the engine's own server, at 127.0.0.11").new_ones("containers"),
    Key::new("network.ipv6", Bool, "Whether networks have IPv6 beside IPv4 unless they say otherwise."),
    Key::new("network.bypass_firewall", Bool, "Whether published ports are open to whoever the host's own firewall would not let in."),
    Key::new("network.idle_namespaces", Number(0, 1000), "Network namespaces made ahead of need."),
    Key::new("network.mtu", Number(68, 65535), "MTU of bridges in bytes; with IPv6 no less than 1280.").or("the default route's, at most 1500"),
    Key::new("network.cni.conf_dir", Path, "Where configurations of plugins' networks are: `*.conflist`, `*.conf` and `*.json`."),
    Key::new("network.cni.bin_dirs", List(&Path), "Where plugins are, in the order in which they are looked for."),
];
