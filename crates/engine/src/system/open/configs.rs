//! The daemon's settings as networks and runtimes know them.

use config::Settings;
use runtime::RuntimeKind;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

pub(super) fn networks(settings: &Settings, private: bool, bridge_in_use: bool) -> ::networks::Config {
    let mut config = if private {
        ::networks::Config::private(&settings.runtime.root_dir)
    } else {
        ::networks::Config::host()
    };
    if let Some(bridge) = &settings.network.default_bridge {
        config.bridge.clone_from(bridge);
    }
    if let Some(range) = settings.network.ip_range {
        config.preferred_subnet = Some(range);
        config.subnet_is_fixed = true;
    }
    config.bridge_in_use = bridge_in_use;
    config.ipv6_by_default = settings.network.ipv6;
    config.bypass_firewall = settings.network.bypass_firewall;
    config.mtu = settings.network.mtu;
    config.prepared = settings.network.idle_namespaces;
    config.namespaces = settings.runtime.state_dir.join("netns");
    config.plugin_networks.clone_from(&settings.network.cni.conf_dir);
    config.plugins.clone_from(&settings.network.cni.bin_dirs);
    config
}

pub(crate) fn registries(settings: &Settings) -> registry::Client {
    let registries = &settings.registry;
    let hosts = registry::HostsConfig {
        default: registries.default.clone(),
        insecure: registries.insecure.clone(),
        mirrors: registries.mirrors.clone(),
        rewrites: registries.rewrites.clone(),
        directories: registries.config_dirs.clone(),
        registries_conf: registries.registries_conf.clone(),
        proxies: registry::Proxies::from_environment(),
        direct: false,
    };
    let retry = registry::RetryPolicy {
        attempts: registries.max_attempts.max(1),
        ..registry::RetryPolicy::default()
    };
    registry::Client::new(hosts, &format!("container-runtime/{}", crate::system::VERSION), retry)
}

pub(super) fn runtimes(
    settings: &Settings,
    shim: &Path,
    cgroups: &cgroups::Host,
    driver: cgroups::Driver,
    private: Option<&String>,
) -> runtime::Config {
    let mut runtimes = BTreeMap::from([("libcontainer".to_owned(), RuntimeKind::Builtin)]);
    for name in ["runc", "crun"] {
        runtimes.insert(name.into(), RuntimeKind::Command { path: name.into(), args: Vec::new() });
    }
    for (name, entry) in &settings.runtime.runtimes {
        let kind = match (&entry.shim, &entry.path) {
            (Some(shim), _) => RuntimeKind::Shim { name: shim.clone() },
            (None, Some(path)) => RuntimeKind::Command { path: path.clone(), args: entry.args.clone() },
            (None, None) => RuntimeKind::Command { path: name.into(), args: entry.args.clone() },
        };
        runtimes.insert(name.clone(), kind);
    }
    let host = cgroups.clone();
    runtime::Config {
        state_dir: settings.runtime.state_dir.clone(),
        namespace: private
            .map_or_else(|| "container-runtime".into(), |suffix| format!("container-runtime-{suffix}")),
        shim: shim.to_owned(),
        runtimes,
        default: settings.runtime.default_runtime.clone(),
        systemd_cgroup: driver == cgroups::Driver::Systemd,
        idle_shims: settings.runtime.idle_shims,
        patience: runtime::PATIENCE,
        kill_cgroup: Arc::new(move |path| {
            let group = host.cgroup(path);
            group.kill().and_then(|()| group.remove()).map_err(std::io::Error::other)
        }),
    }
}
