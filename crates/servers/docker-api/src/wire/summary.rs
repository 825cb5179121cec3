//! An element of `GET /containers/json`.

use super::endpoint::EndpointSettings;
use super::is_zero;
use super::mount::MountPoint;
use serde::Serialize;
use std::collections::BTreeMap;

/// See the module.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ContainerSummary {
    pub(crate) id: String,
    pub(crate) names: Vec<String>,
    pub(crate) image: String,
    #[serde(rename = "ImageID")]
    pub(crate) image_id: String,
    pub(crate) command: String,
    /// Seconds since 1970.
    pub(crate) created: i64,
    pub(crate) ports: Vec<Port>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size_rw: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size_root_fs: Option<u64>,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) state: &'static str,
    pub(crate) status: String,
    pub(crate) host_config: HostConfigSummary,
    pub(crate) network_settings: NetworkSettingsSummary,
    pub(crate) mounts: Vec<MountPoint>,
}

/// A port in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Port {
    #[serde(rename = "IP", skip_serializing_if = "is_zero")]
    pub(crate) ip: String,
    pub(crate) private_port: u16,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) public_port: u16,
    pub(crate) r#type: &'static str,
}

/// What a list shows of the host config.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HostConfigSummary {
    pub(crate) network_mode: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) annotations: BTreeMap<String, String>,
}

/// What a list shows of the networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NetworkSettingsSummary {
    pub(crate) networks: BTreeMap<String, EndpointSettings>,
}
