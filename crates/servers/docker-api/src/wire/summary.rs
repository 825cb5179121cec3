//! An element of `GET /containers/json`.

use super::endpoint::EndpointSettings;
use super::is_zero;
use super::mount::MountPoint;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// See the module. A list has thousands: what the record has is not copied.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ContainerSummary<'a> {
    pub(crate) id: &'a str,
    pub(crate) names: [String; 1],
    pub(crate) image: &'a str,
    #[serde(rename = "ImageID")]
    pub(crate) image_id: &'a str,
    pub(crate) command: String,
    /// Seconds since 1970.
    pub(crate) created: i64,
    pub(crate) ports: Vec<Port>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size_rw: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size_root_fs: Option<u64>,
    pub(crate) labels: &'a BTreeMap<String, String>,
    pub(crate) state: &'static str,
    pub(crate) status: String,
    pub(crate) host_config: HostConfigSummary<'a>,
    pub(crate) network_settings: NetworkSettingsSummary<'a>,
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
pub(crate) struct HostConfigSummary<'a> {
    pub(crate) network_mode: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: &'a BTreeMap<String, String>,
}

/// What a list shows of the networks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct NetworkSettingsSummary<'a> {
    #[serde(serialize_with = "as_map")]
    pub(crate) networks: Vec<(&'a str, EndpointSettings)>,
}

fn as_map<S: Serializer>(networks: &[(&str, EndpointSettings)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(networks.iter().map(|(name, settings)| (name, settings)))
}
