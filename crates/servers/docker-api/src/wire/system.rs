//! The engine itself: `info`, `version`, `system df`.

use super::image::ImageSummary;
use super::summary::ContainerSummary;
use super::volume::Volume;
use serde::Serialize;
use std::collections::BTreeMap;

/// The answer of `GET /version`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Version {
    pub(crate) platform: Platform,
    pub(crate) components: Vec<Component>,
    pub(crate) version: &'static str,
    pub(crate) api_version: String,
    #[serde(rename = "MinAPIVersion")]
    pub(crate) min_api_version: String,
    pub(crate) git_commit: &'static str,
    pub(crate) go_version: &'static str,
    pub(crate) os: &'static str,
    pub(crate) arch: String,
    pub(crate) kernel_version: String,
    pub(crate) build_time: &'static str,
}

/// Name of the product.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Platform {
    pub(crate) name: String,
}

/// A part of the engine.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Component {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    pub(crate) details: BTreeMap<&'static str, String>,
}

/// The answer of `GET /info`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Info {
    #[serde(rename = "ID")]
    pub(crate) id: String,
    pub(crate) containers: usize,
    pub(crate) containers_running: usize,
    pub(crate) containers_paused: usize,
    pub(crate) containers_stopped: usize,
    pub(crate) images: usize,
    pub(crate) driver: &'static str,
    pub(crate) driver_status: Vec<[String; 2]>,
    pub(crate) plugins: Plugins,
    pub(crate) memory_limit: bool,
    pub(crate) swap_limit: bool,
    #[serde(rename = "CpuCfsPeriod")]
    pub(crate) cpu_cfs_period: bool,
    #[serde(rename = "CpuCfsQuota")]
    pub(crate) cpu_cfs_quota: bool,
    #[serde(rename = "CPUShares")]
    pub(crate) cpu_shares: bool,
    #[serde(rename = "CPUSet")]
    pub(crate) cpu_set: bool,
    pub(crate) pids_limit: bool,
    #[serde(rename = "IPv4Forwarding")]
    pub(crate) ipv4_forwarding: bool,
    pub(crate) debug: bool,
    #[serde(rename = "NFd")]
    pub(crate) open_files: usize,
    pub(crate) oom_kill_disable: bool,
    #[serde(rename = "NGoroutines")]
    pub(crate) tasks: usize,
    pub(crate) system_time: String,
    pub(crate) logging_driver: String,
    pub(crate) cgroup_driver: &'static str,
    pub(crate) cgroup_version: String,
    #[serde(rename = "NEventsListener")]
    pub(crate) event_listeners: usize,
    pub(crate) kernel_version: String,
    pub(crate) operating_system: String,
    #[serde(rename = "OSVersion")]
    pub(crate) os_version: String,
    #[serde(rename = "OSType")]
    pub(crate) os_type: &'static str,
    pub(crate) architecture: String,
    pub(crate) index_server_address: &'static str,
    pub(crate) registry_config: RegistryConfig,
    #[serde(rename = "NCPU")]
    pub(crate) cpus: usize,
    pub(crate) mem_total: u64,
    pub(crate) generic_resources: Option<()>,
    pub(crate) docker_root_dir: String,
    pub(crate) http_proxy: String,
    pub(crate) https_proxy: String,
    pub(crate) no_proxy: String,
    pub(crate) name: String,
    pub(crate) labels: Vec<String>,
    pub(crate) experimental_build: bool,
    pub(crate) server_version: &'static str,
    pub(crate) runtimes: BTreeMap<String, Runtime>,
    pub(crate) default_runtime: String,
    pub(crate) swarm: Swarm,
    pub(crate) live_restore_enabled: bool,
    pub(crate) isolation: &'static str,
    pub(crate) init_binary: String,
    pub(crate) containerd_commit: Commit,
    pub(crate) runc_commit: Commit,
    pub(crate) init_commit: Commit,
    pub(crate) security_options: Vec<String>,
    pub(crate) firewall_backend: Firewall,
    #[serde(rename = "CDISpecDirs")]
    pub(crate) cdi_spec_dirs: Vec<String>,
    pub(crate) warnings: Option<Vec<String>>,
}

/// Drivers by kind.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Plugins {
    pub(crate) volume: Vec<&'static str>,
    pub(crate) network: Vec<&'static str>,
    pub(crate) authorization: Option<Vec<String>>,
    pub(crate) log: Vec<&'static str>,
}

/// Registries.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct RegistryConfig {
    #[serde(rename = "IndexConfigs")]
    pub(crate) index_configs: BTreeMap<String, Index>,
    #[serde(rename = "InsecureRegistryCIDRs")]
    pub(crate) insecure_registry_cidrs: Vec<String>,
    #[serde(rename = "Mirrors")]
    pub(crate) mirrors: Option<Vec<String>>,
}

/// A registry.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Index {
    pub(crate) mirrors: Vec<String>,
    pub(crate) name: String,
    pub(crate) official: bool,
    pub(crate) secure: bool,
}

/// A runtime.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Runtime {
    pub(crate) path: String,
}

/// That there is none.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Swarm {
    #[serde(rename = "NodeID")]
    pub(crate) node_id: &'static str,
    pub(crate) node_addr: &'static str,
    pub(crate) local_node_state: &'static str,
    pub(crate) control_available: bool,
    pub(crate) error: &'static str,
    pub(crate) remote_managers: Option<()>,
}

/// Of a part that Docker has and this engine has not.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Commit {
    #[serde(rename = "ID")]
    pub(crate) id: &'static str,
}

/// What makes the packet filter's rules.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Firewall {
    pub(crate) driver: &'static str,
}

/// The answer of `GET /system/df`; `null`: not asked for.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DiskUsage<'a> {
    pub(crate) layers_size: u64,
    pub(crate) images: Option<Vec<ImageSummary>>,
    pub(crate) containers: Option<Vec<ContainerSummary<'a>>>,
    pub(crate) volumes: Option<Vec<Volume>>,
    pub(crate) build_cache: Option<Vec<()>>,
}
