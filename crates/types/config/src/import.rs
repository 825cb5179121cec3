//! `/etc/docker/daemon.json` in our words.

use crate::node::{Node, NodeValue, Unreadable};
use crate::{KeyPath, parse, value_of};

/// What a `daemon.json` comes to.
#[derive(Debug, Clone, Default)]
pub struct Imported {
    /// Keys and their values.
    pub values: Vec<(KeyPath, Node)>,
    /// Keys of the file that have none here, and why.
    pub left_out: Vec<(String, String)>,
}

/// Keys with the same value under another name.
const SAME: [(&str, &str); 22] = [
    ("data-root", "runtime.root_dir"),
    ("graph", "runtime.root_dir"),
    ("exec-root", "runtime.state_dir"),
    ("default-runtime", "runtime.default_runtime"),
    ("cgroup-parent", "runtime.cgroup_parent"),
    ("init-path", "runtime.init_path"),
    ("no-new-privileges", "runtime.no_new_privileges"),
    ("userns-remap", "runtime.userns_remap"),
    ("labels", "runtime.labels"),
    ("mtu", "network.mtu"),
    ("ipv6", "network.ipv6"),
    ("dns", "dns.servers"),
    ("dns-search", "dns.search"),
    ("dns-opts", "dns.options"),
    ("log-driver", "logging.driver"),
    ("log-opts", "logging.options"),
    ("log-format", "logging.format"),
    ("registry-mirrors", "registry.mirrors"),
    ("insecure-registries", "registry.insecure"),
    ("max-concurrent-downloads", "registry.max_concurrent_downloads"),
    ("max-concurrent-uploads", "registry.max_concurrent_uploads"),
    ("max-download-attempts", "registry.max_attempts"),
];

/// Keys that nothing stands for, and why.
const WITHOUT: [(&str, &str); 22] = [
    ("hosts", "give the daemon --host"),
    ("tls", "give the daemon --tls"),
    ("tlsverify", "give the daemon --tlsverify"),
    ("tlscacert", "give the daemon --tlscacert"),
    ("tlscert", "give the daemon --tlscert"),
    ("tlskey", "give the daemon --tlskey"),
    ("group", "give the daemon --group"),
    ("pidfile", "there is none: a lock tells whether a daemon runs"),
    ("live-restore", "containers always go on without the daemon"),
    ("userland-proxy", "there is no proxy for each port"),
    ("userland-proxy-path", "there is no proxy for each port"),
    ("experimental", "there is nothing to switch on"),
    ("features", "there is nothing to switch on"),
    ("default-address-pools", "networks take their subnets from network.ip_range and from built-in pools"),
    ("iptables", "rules are always written, in a table of the engine's own"),
    ("ip6tables", "rules are always written, in a table of the engine's own"),
    ("ip-forward", "forwarding is always switched on"),
    ("ip-masq", "name it network by network: com.docker.network.bridge.enable_ip_masquerade"),
    ("icc", "name it network by network: com.docker.network.bridge.enable_icc"),
    ("shutdown-timeout", "containers go on when the daemon ends"),
    ("metrics-addr", "there are no metrics to be served yet"),
    ("seccomp-profile", "name it container by container: --security-opt seccomp=FILE"),
];

/// Reads a `daemon.json`.
///
/// # Errors
/// A text that is no JSON object, and where.
pub fn import_daemon_json(text: &str) -> Result<Imported, Unreadable> {
    let mut imported = Imported::default();
    let Some(root) = parse(text)?.root else { return Ok(imported) };
    let NodeValue::Map { entries, .. } = &root.value else {
        let message = "it must be an object, in braces".to_owned();
        return Err(Unreadable { message, line: root.line, column: root.column });
    };
    for (name, value) in entries {
        let name = name.text().unwrap_or_default();
        if let Some((_, key)) = SAME.iter().find(|(docker, _)| *docker == name) {
            imported.add(key, value.clone());
        } else if let Some((_, why)) = WITHOUT.iter().find(|(docker, _)| *docker == name) {
            imported.leave(name, why);
        } else {
            imported.translate(name, value);
        }
    }
    Ok(imported)
}

impl Imported {
    fn add(&mut self, key: &str, value: Node) {
        let path = KeyPath::dotted(key);
        // The later of two that mean the same.
        self.values.retain(|(other, _)| *other != path);
        self.values.push((path, value));
    }

    fn leave(&mut self, name: &str, why: &str) {
        self.left_out.push((name.to_owned(), why.to_owned()));
    }

    fn word(&mut self, key: &str, text: &str) {
        if let Ok(node) = value_of(&KeyPath::dotted(key), text) {
            self.add(key, node);
        }
    }

    /// Keys that mean the same in other words.
    fn translate(&mut self, name: &str, value: &Node) {
        let text = value.text().unwrap_or_default();
        match name {
            "bridge" if text == "none" => self.leave(name, "there is always a default bridge"),
            "bridge" => self.add("network.default_bridge", value.clone()),
            "bip" => self.bridge_address(name, text),
            "storage-driver" if matches!(text, "overlay2" | "overlayfs") => {
                self.word("storage.driver", "overlay2")
            }
            "storage-driver" => self.leave(name, &format!("{text} is not there, overlay2 is")),
            "debug" if text == "true" => self.word("logging.level", "debug"),
            "debug" => {}
            // Docker knows two that nothing here is.
            "log-level" => {
                self.word("logging.level", if matches!(text, "fatal" | "panic") { "error" } else { text })
            }
            "exec-opts" => self.exec_options(name, value),
            "runtimes" => self.runtimes(name, value),
            _ => self.leave(name, "there is nothing like it here"),
        }
    }

    fn bridge_address(&mut self, name: &str, text: &str) {
        match text.parse::<ipnet::Ipv4Net>() {
            Ok(net) => {
                self.word("network.ip_range", &net.trunc().to_string());
                if u32::from(net.addr()) != u32::from(net.network()) + 1 {
                    self.leave(name, "the bridge's own address is always the first of its subnet");
                }
            }
            Err(_) => self.leave(name, &format!("'{text}' is no address with a prefix length")),
        }
    }

    fn exec_options(&mut self, name: &str, value: &Node) {
        let NodeValue::List { items } = &value.value else {
            return self.leave(name, "it must be a list");
        };
        for option in items.iter().filter_map(Node::text) {
            match option.strip_prefix("native.cgroupdriver=") {
                Some(driver) => self.word("runtime.cgroup_driver", driver),
                None => self.leave(name, &format!("there is nothing like {option} here")),
            }
        }
    }

    fn runtimes(&mut self, name: &str, value: &Node) {
        let NodeValue::Map { entries, .. } = &value.value else {
            return self.leave(name, "it must be an object");
        };
        for (runtime, entry) in entries {
            let runtime = runtime.text().unwrap_or_default();
            let NodeValue::Map { entries, .. } = &entry.value else { continue };
            for (key, value) in entries {
                let key = key.text().unwrap_or_default();
                let ours = match key {
                    "path" => "path",
                    "runtimeArgs" => "args",
                    "runtimeType" => "shim",
                    _ => {
                        self.leave(&format!("{name}.{runtime}.{key}"), "there is nothing like it here");
                        continue;
                    }
                };
                self.values.push((KeyPath::of(["runtime", "runtimes", runtime, ours]), value.clone()));
            }
        }
    }
}
