//! The image config: OCI image specification "Image Configuration" with the fields that docker adds.
//!
//! Every object keeps what it doesn't know, so that a document survives being read and written again.

use crate::{Digest, Platform};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The document whose digest is an image's id.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ImageConfig {
    /// Architecture in Go's names.
    #[serde(default)]
    pub architecture: String,
    /// Variant of the architecture; empty: none.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "String::is_empty")]
    pub variant: String,
    /// Operating system in Go's names.
    #[serde(default)]
    pub os: String,
    /// Version of the operating system (Windows).
    #[serde(
        default,
        rename = "os.version",
        deserialize_with = "null",
        skip_serializing_if = "String::is_empty"
    )]
    pub os_version: String,
    /// When the image was made, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// Who made it.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// Docker: the message of `commit` or `import`.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Docker: the version that made it.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "String::is_empty")]
    pub docker_version: String,
    /// Defaults of containers made from the image.
    #[serde(default, deserialize_with = "null")]
    pub config: RunConfig,
    /// The layers.
    #[serde(default)]
    pub rootfs: RootFs,
    /// How each layer came to be, oldest first.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<History>,
    /// Everything else.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl ImageConfig {
    /// The platform in normal form.
    pub fn platform(&self) -> Platform {
        Platform::new(&self.os, &self.architecture, &self.variant)
    }
}

/// The layers of an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RootFs {
    /// Always `layers`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Digests of the uncompressed layers, lowest first.
    #[serde(default, deserialize_with = "null")]
    pub diff_ids: Vec<Digest>,
}

impl Default for RootFs {
    fn default() -> Self {
        Self { kind: "layers".to_owned(), diff_ids: Vec::new() }
    }
}

/// How a layer came to be.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct History {
    /// RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The instruction or command.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "String::is_empty")]
    pub created_by: String,
    /// Who.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "String::is_empty")]
    pub author: String,
    /// A message.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "String::is_empty")]
    pub comment: String,
    /// Whether no layer belongs to this step.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "is_false")]
    pub empty_layer: bool,
    /// Everything else.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// Defaults of containers: OCI's execution parameters and docker's additions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct RunConfig {
    /// `user`, `uid`, `user:group`, `uid:gid`; empty: root.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "String::is_empty")]
    pub user: String,
    /// `port/protocol`.
    #[serde(default, deserialize_with = "set", skip_serializing_if = "BTreeMap::is_empty")]
    pub exposed_ports: BTreeMap<String, Empty>,
    /// `NAME=value`.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Prefix of the argument vector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// Rest of the argument vector, replaced by what the user gives.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Paths that get an anonymous volume.
    #[serde(default, deserialize_with = "set", skip_serializing_if = "BTreeMap::is_empty")]
    pub volumes: BTreeMap<String, Empty>,
    /// Absolute; empty: `/`.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "String::is_empty")]
    pub working_dir: String,
    /// Arbitrary.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Signal for `stop`; empty: `SIGTERM`.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "String::is_empty")]
    pub stop_signal: String,
    /// Docker: seconds that `stop` waits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_timeout: Option<i64>,
    /// Docker: how to tell whether a container is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Healthcheck>,
    /// Docker: instructions for builds on top of the image.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "Vec::is_empty")]
    pub on_build: Vec<String>,
    /// Docker: the shell of instructions in shell form.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "Vec::is_empty")]
    pub shell: Vec<String>,
    /// Docker: the command is already escaped (Windows).
    #[serde(default, deserialize_with = "null", skip_serializing_if = "is_false")]
    pub args_escaped: bool,
    /// Everything else (`Hostname`, `Tty`, … of old docker versions).
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

/// The value of a JSON object that serves as a set: `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Empty {}

/// Docker's health check. Times are nanoseconds, 0: inherit or default.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Healthcheck {
    /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", command]`; empty: inherit.
    #[serde(default, deserialize_with = "null", skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<String>,
    /// Between two checks.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub interval: i64,
    /// Of one check.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub timeout: i64,
    /// During which failures don't count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub start_period: i64,
    /// Between two checks during the start period.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub start_interval: i64,
    /// Failures in a row that make a container unhealthy.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: i64,
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_zero(value: &i64) -> bool {
    *value == 0
}

/// Go writes `null` where a list, map or struct is absent.
fn null<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

/// Sets, also with `null` in place of `{}`.
fn set<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Empty>, D::Error> {
    let map = Option::<BTreeMap<String, Option<Empty>>>::deserialize(deserializer)?;
    Ok(map.unwrap_or_default().into_keys().map(|key| (key, Empty {})).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_unknown_is_lost_and_null_is_nothing() {
        let text = r#"{"architecture":"amd64","os":"linux","config":{"Hostname":"x","Env":null,
            "ExposedPorts":{"80/tcp":{}},"Volumes":null,"OnBuild":null,"Cmd":["a"],"Entrypoint":null,
            "Healthcheck":{"Test":["CMD","b"],"Interval":5}},"rootfs":{"type":"layers","diff_ids":null},
            "history":[{"created_by":"x","odd":1}],"moby.buildkit.cache.v0":"abc"}"#;
        let config: ImageConfig = serde_json::from_str(text).unwrap();
        assert_eq!(config.config.cmd.as_deref(), Some(&["a".to_owned()][..]));
        assert!(config.config.exposed_ports.contains_key("80/tcp"));
        let again: Value = serde_json::to_value(&config).unwrap();
        assert_eq!(again["moby.buildkit.cache.v0"], "abc");
        assert_eq!(again["config"]["Hostname"], "x");
        assert_eq!(again["history"][0]["odd"], 1);
        assert_eq!(serde_json::from_value::<ImageConfig>(again).unwrap(), config);
    }

    #[test]
    fn a_null_config_is_the_empty_one() {
        let config: ImageConfig = serde_json::from_str(r#"{"os":"linux","config":null}"#).unwrap();
        assert_eq!(config.config, RunConfig::default());
        assert_eq!(config.rootfs.kind, "layers");
    }
}
