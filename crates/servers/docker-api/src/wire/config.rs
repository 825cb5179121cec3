//! `ContainerConfig`: the body of a create request, and `Config` of an inspected container.

use super::endpoint::EndpointSettings;
use super::host_config::HostConfig;
use super::ports::ExposedPorts;
use super::{Set, is_zero, texts};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Attachments by network name.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct NetworkingConfig {
    pub(crate) endpoints_config: BTreeMap<String, EndpointSettings>,
}

/// What is portable of a container's description.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct ContainerConfig {
    pub(crate) hostname: String,
    pub(crate) domainname: String,
    pub(crate) user: String,
    pub(crate) attach_stdin: bool,
    pub(crate) attach_stdout: bool,
    pub(crate) attach_stderr: bool,
    #[serde(skip_serializing_if = "ExposedPorts::is_empty")]
    pub(crate) exposed_ports: ExposedPorts,
    pub(crate) tty: bool,
    pub(crate) open_stdin: bool,
    pub(crate) stdin_once: bool,
    pub(crate) env: Vec<String>,
    #[serde(deserialize_with = "texts")]
    pub(crate) cmd: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) healthcheck: Option<HealthConfig>,
    pub(crate) image: String,
    pub(crate) volumes: Option<Set>,
    pub(crate) working_dir: String,
    #[serde(deserialize_with = "texts")]
    pub(crate) entrypoint: Option<Vec<String>>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) network_disabled: bool,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) mac_address: String,
    pub(crate) on_build: Option<Vec<String>>,
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) stop_signal: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) stop_timeout: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "texts")]
    pub(crate) shell: Option<Vec<String>>,
    /// In the body of a create request only.
    #[serde(skip_serializing)]
    pub(crate) host_config: HostConfig,
    /// In the body of a create request only.
    #[serde(skip_serializing)]
    pub(crate) networking_config: NetworkingConfig,
}

/// Times are nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct HealthConfig {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) test: Vec<String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) interval: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) timeout: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) start_period: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) start_interval: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) retries: i64,
}
