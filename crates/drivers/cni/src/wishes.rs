//! What is wished for of one attachment, told to plugins that say that they can do it (conventions, "Dynamic plugin specific fields").

use crate::Configuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::net::IpAddr;

/// What is wished for of one attachment beside what the configuration says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Wishes {
    /// For plugins with the capability `portMappings`.
    pub ports: Vec<PortMapping>,
    /// For plugins with the capability `ips`.
    pub addresses: Vec<IpAddr>,
    /// For plugins with the capability `mac`.
    pub mac: Option<String>,
}

/// A port of the host that is to lead to one of the container.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortMapping {
    /// The host's address; none: all.
    pub host_address: Option<IpAddr>,
    /// The host's port.
    pub host: u16,
    /// The container's port.
    pub container: u16,
    /// `tcp`, `udp`, `sctp`.
    pub protocol: String,
}

impl Wishes {
    /// Those that a plugin can do something about, as it reads them.
    pub(crate) fn told_to(&self, plugin: &Value) -> Map<String, Value> {
        let addresses: Vec<String> = self.addresses.iter().map(IpAddr::to_string).collect();
        let all = [
            ("portMappings", json!(self.ports.iter().map(PortMapping::told).collect::<Vec<_>>())),
            ("ips", json!(addresses)),
            ("mac", json!(self.mac)),
        ];
        let given = |value: &Value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty());
        let known =
            all.into_iter().filter(|(name, value)| plugin["capabilities"][*name] == true && given(value));
        known.map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

impl PortMapping {
    fn told(&self) -> Value {
        let mut told =
            json!({"hostPort": self.host, "containerPort": self.container, "protocol": self.protocol});
        if let Some(address) = self.host_address {
            told["hostIP"] = json!(address);
        }
        told
    }
}

impl Configuration {
    /// Whether a plugin of it says that it has this capability: `portMappings`, `ips`, `mac`.
    pub fn can(&self, capability: &str) -> bool {
        self.plugins.iter().any(|plugin| plugin["capabilities"][capability] == true)
    }
}
