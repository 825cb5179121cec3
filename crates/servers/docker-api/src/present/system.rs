//! The engine itself.

use crate::http::timestamp;
use crate::http::version::{NEWEST, OLDEST};
use crate::wire::system::{
    Commit, Component, Firewall, Index, Info, Platform, Plugins, RegistryConfig, Runtime, Swarm, Version,
};
use engine::Services;
use std::collections::BTreeMap;

/// The version of Docker that this engine behaves like: clients compare it.
pub(crate) const DOCKER_VERSION: &str = "28.5.2";

/// The answer of `GET /version`.
pub(crate) fn version(services: &Services) -> Version {
    let arch = oci::Platform::host().architecture;
    let kernel = services.host.kernel_release.clone();
    let details = BTreeMap::from([
        ("ApiVersion", NEWEST.to_string()),
        ("Arch", arch.clone()),
        ("BuildTime", String::new()),
        ("Experimental", "false".to_owned()),
        ("GitCommit", String::new()),
        ("GoVersion", String::new()),
        ("KernelVersion", kernel.clone()),
        ("MinAPIVersion", OLDEST.to_string()),
        ("Os", "linux".to_owned()),
    ]);
    Version {
        platform: Platform { name: format!("container-runtime {}", engine::system::VERSION) },
        components: vec![
            Component { name: "Engine", version: DOCKER_VERSION, details },
            Component {
                name: "container-runtime",
                version: engine::system::VERSION,
                details: BTreeMap::from([("GitCommit", String::new())]),
            },
        ],
        version: DOCKER_VERSION,
        api_version: NEWEST.to_string(),
        min_api_version: OLDEST.to_string(),
        git_commit: "",
        go_version: "",
        os: "linux",
        arch,
        kernel_version: kernel,
        build_time: "",
    }
}

/// The answer of `GET /info`.
pub(crate) fn info(services: &Services, info: engine::system::Info) -> Info {
    let settings = services.settings();
    let host = &services.host;
    Info {
        id: services.id.clone(),
        containers: info.containers,
        containers_running: info.running,
        containers_paused: info.paused,
        containers_stopped: info.stopped,
        images: info.images,
        driver: "overlay2",
        driver_status: driver_status(&info.backing_filesystem, services),
        plugins: Plugins {
            volume: vec!["local"],
            network: vec!["bridge", "cni", "host", "ipvlan", "macvlan", "null"],
            authorization: None,
            log: vec!["json-file", "none"],
        },
        memory_limit: info.memory_limit,
        swap_limit: info.swap_limit,
        cpu_cfs_period: info.cpu_cfs,
        cpu_cfs_quota: info.cpu_cfs,
        cpu_shares: info.cpu_shares,
        cpu_set: info.cpu_set,
        pids_limit: info.pids_limit,
        ipv4_forwarding: info.ipv4_forwarding,
        debug: false,
        open_files: open_files(),
        oom_kill_disable: info.oom_kill_disable,
        tasks: tokio::runtime::Handle::current().metrics().num_alive_tasks(),
        system_time: timestamp::format(Some(engine::now())),
        logging_driver: settings.logging.driver.clone(),
        cgroup_driver: info.cgroup_driver,
        cgroup_version: info.cgroup_version.to_string(),
        event_listeners: 0,
        kernel_version: host.kernel_release.clone(),
        operating_system: host.os.clone(),
        os_version: host.os_version.clone(),
        os_type: "linux",
        architecture: host.machine.clone(),
        index_server_address: "https://index.docker.io/v1/",
        registry_config: registries(&settings.registry),
        cpus: host.cpus,
        mem_total: host.memory,
        generic_resources: None,
        docker_root_dir: settings.runtime.root_dir.display().to_string(),
        http_proxy: String::new(),
        https_proxy: String::new(),
        no_proxy: String::new(),
        name: host.name.clone(),
        labels: settings.runtime.labels.clone(),
        experimental_build: false,
        server_version: DOCKER_VERSION,
        runtimes: info.runtimes.into_iter().map(|name| (name.clone(), Runtime { path: name })).collect(),
        default_runtime: info.default_runtime,
        swarm: no_swarm(),
        // Containers always go on without the engine.
        live_restore_enabled: true,
        isolation: "",
        init_binary: settings
            .runtime
            .init_path
            .as_ref()
            .map_or_else(String::new, |path| path.display().to_string()),
        containerd_commit: Commit::default(),
        runc_commit: Commit::default(),
        init_commit: Commit::default(),
        security_options: security_options(services),
        firewall_backend: Firewall { driver: "nftables" },
        cdi_spec_dirs: Vec::new(),
        warnings: (!info.warnings.is_empty()).then_some(info.warnings),
    }
}

fn driver_status(backing: &str, services: &Services) -> Vec<[String; 2]> {
    let pair = |name: &str, value: &str| [name.to_owned(), value.to_owned()];
    let mut pairs = vec![
        pair("Backing Filesystem", backing),
        pair("Supports d_type", "true"),
        pair("Native Overlay Diff", "true"),
    ];
    let settings = services.settings();
    let serve = &settings.registry.serve;
    if let Some(address) = serve.listen {
        let scheme = if serve.tls.is_some() { "https" } else { "http" };
        pairs.push(pair("Registry", &format!("{scheme}://{address}")));
    }
    pairs
}

/// Docker knows mirrors of its Hub alone, and for whichever registry it asks them; ours belong to registries, as `*` to all.
fn registries(registry: &config::Registry) -> RegistryConfig {
    let (networks, hosts): (Vec<_>, Vec<_>) =
        registry.insecure.iter().cloned().partition(|entry| entry.contains('/'));
    let mirrors = |host: &str| registry.mirrors.get(host).cloned().unwrap_or_default();
    let index = |name: &str, secure| Index {
        mirrors: mirrors(name),
        name: name.to_owned(),
        official: name == oci::DEFAULT_DOMAIN,
        secure,
    };
    let named = registry.mirrors.keys().filter(|name| *name != "*").map(|name| index(name, true));
    let insecure = hosts.iter().map(|name| index(name, false));
    let all = std::iter::once(index(oci::DEFAULT_DOMAIN, true)).chain(named).chain(insecure);
    let mut hub = mirrors(oci::DEFAULT_DOMAIN);
    hub.extend(mirrors("*"));
    RegistryConfig {
        index_configs: all.map(|index| (index.name.clone(), index)).collect(),
        insecure_registry_cidrs: ["::1/128", "127.0.0.0/8"]
            .map(str::to_owned)
            .into_iter()
            .chain(networks)
            .collect(),
        mirrors: (!hub.is_empty()).then_some(hub),
    }
}

fn no_swarm() -> Swarm {
    Swarm {
        node_id: "",
        node_addr: "",
        local_node_state: "inactive",
        control_available: false,
        error: "",
        remote_managers: None,
    }
}

fn security_options(services: &Services) -> Vec<String> {
    let host = &services.host;
    let v2 = services.cgroups.mode().version() == 2;
    [
        (host.apparmor, "name=apparmor"),
        (host.seccomp, "name=seccomp,profile=builtin"),
        (services.id_maps.is_some(), "name=userns"),
        (v2, "name=cgroupns"),
        (services.settings().runtime.no_new_privileges, "name=no-new-privileges"),
    ]
    .into_iter()
    .filter(|(on, _)| *on)
    .map(|(_, option)| option.to_owned())
    .collect()
}

fn open_files() -> usize {
    std::fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configured_registries_are_shown() {
        let bare = registries(&config::Registry::default());
        assert_eq!(bare.index_configs.len(), 1);
        assert!(bare.mirrors.is_none());
        let insecure = vec!["r.example:5000".to_owned(), "10.0.0.0/8".to_owned()];
        let mut registry = config::Registry { insecure, ..config::Registry::default() };
        registry.mirrors.insert("docker.io".to_owned(), vec!["https://m.example".to_owned()]);
        registry.mirrors.insert("*".to_owned(), vec!["https://all.example".to_owned()]);
        let shown = registries(&registry);
        assert!(!shown.index_configs["r.example:5000"].secure && shown.index_configs["docker.io"].secure);
        assert_eq!(shown.index_configs["docker.io"].mirrors, ["https://m.example"]);
        assert!(!shown.index_configs.contains_key("10.0.0.0/8"));
        assert_eq!(shown.insecure_registry_cidrs, ["::1/128", "127.0.0.0/8", "10.0.0.0/8"]);
        assert_eq!(shown.mirrors.unwrap(), ["https://m.example", "https://all.example"]);
    }
}
