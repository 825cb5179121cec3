//! Networks.

use super::endpoint::EndpointSettings;
use super::is_zero;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// An element of `GET /networks`, and the answer of `GET /networks/{id}`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Network {
    pub(crate) name: String,
    pub(crate) id: String,
    pub(crate) created: String,
    pub(crate) scope: String,
    pub(crate) driver: String,
    #[serde(rename = "EnableIPv4")]
    pub(crate) enable_ipv4: bool,
    #[serde(rename = "EnableIPv6")]
    pub(crate) enable_ipv6: bool,
    #[serde(rename = "IPAM")]
    pub(crate) ipam: Ipam,
    pub(crate) internal: bool,
    pub(crate) attachable: bool,
    pub(crate) ingress: bool,
    pub(crate) config_from: ConfigFrom,
    pub(crate) config_only: bool,
    pub(crate) containers: BTreeMap<String, Attached>,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) labels: BTreeMap<String, String>,
}

/// How addresses are given out.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Ipam {
    pub(crate) driver: String,
    pub(crate) options: Option<BTreeMap<String, String>>,
    pub(crate) config: Option<Vec<IpamConfig>>,
}

/// A range of addresses.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct IpamConfig {
    pub(crate) subnet: String,
    #[serde(rename = "IPRange", skip_serializing_if = "is_zero")]
    pub(crate) ip_range: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) gateway: String,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) auxiliary_addresses: BTreeMap<String, String>,
}

/// The body of `POST /networks/create`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct CreateNetwork {
    pub(crate) name: String,
    pub(crate) driver: String,
    pub(crate) scope: String,
    #[serde(rename = "EnableIPv4")]
    pub(crate) enable_ipv4: Option<bool>,
    #[serde(rename = "EnableIPv6")]
    pub(crate) enable_ipv6: Option<bool>,
    #[serde(rename = "IPAM")]
    pub(crate) ipam: Option<CreateIpam>,
    pub(crate) internal: bool,
    pub(crate) attachable: bool,
    pub(crate) ingress: bool,
    pub(crate) config_only: bool,
    pub(crate) config_from: Option<CreateConfigFrom>,
    pub(crate) options: Option<BTreeMap<String, String>>,
    pub(crate) labels: Option<BTreeMap<String, String>>,
}

/// Of [`CreateNetwork`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct CreateIpam {
    pub(crate) driver: String,
    pub(crate) options: Option<BTreeMap<String, String>>,
    pub(crate) config: Option<Vec<CreateIpamConfig>>,
}

/// Of [`CreateIpam`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct CreateIpamConfig {
    pub(crate) subnet: String,
    #[serde(rename = "IPRange")]
    pub(crate) ip_range: String,
    pub(crate) gateway: String,
    pub(crate) auxiliary_addresses: Option<BTreeMap<String, String>>,
}

/// Of [`CreateNetwork`].
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct CreateConfigFrom {
    pub(crate) network: String,
}

/// The answer of `POST /networks/create`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Created {
    pub(crate) id: String,
    pub(crate) warning: &'static str,
}

/// The body of `POST /networks/{id}/connect`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Connect {
    pub(crate) container: String,
    pub(crate) endpoint_config: Option<EndpointSettings>,
}

/// The body of `POST /networks/{id}/disconnect`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Disconnect {
    pub(crate) container: String,
}

/// Of [`Network`].
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ConfigFrom {
    pub(crate) network: String,
}

/// A container on a network.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Attached {
    pub(crate) name: String,
    #[serde(rename = "EndpointID")]
    pub(crate) endpoint_id: String,
    pub(crate) mac_address: String,
    #[serde(rename = "IPv4Address")]
    pub(crate) ipv4_address: String,
    #[serde(rename = "IPv6Address")]
    pub(crate) ipv6_address: String,
}

/// What a packet meets: of our own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Checked {
    pub(crate) steps: Vec<Step>,
    pub(crate) reachable: bool,
    pub(crate) verdict: String,
    /// What to do where something stops it.
    pub(crate) next: Option<String>,
}

/// One thing that it meets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Step {
    pub(crate) finding: String,
    pub(crate) passes: bool,
}
