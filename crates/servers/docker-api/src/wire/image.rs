//! Images.

use super::config::HealthConfig;
use super::inspect::GraphDriver;
use super::{Set, is_zero};
use serde::Serialize;
use std::collections::BTreeMap;

/// An element of `GET /images/json`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ImageSummary {
    pub(crate) containers: i64,
    /// Seconds since 1970.
    pub(crate) created: i64,
    pub(crate) id: String,
    pub(crate) labels: Option<BTreeMap<String, String>>,
    pub(crate) parent_id: String,
    pub(crate) repo_digests: Vec<String>,
    pub(crate) repo_tags: Vec<String>,
    /// Bytes shared with other images; -1: not computed.
    pub(crate) shared_size: i64,
    pub(crate) size: u64,
    /// The same as `Size`; before API 1.44.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) virtual_size: Option<u64>,
    /// If they are asked for; since API 1.47.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) manifests: Option<Vec<Manifest>>,
}

/// A manifest behind an image's names.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Manifest {
    #[serde(rename = "ID")]
    pub(crate) id: String,
    /// As the OCI writes it.
    pub(crate) descriptor: serde_json::Value,
    /// Whether all of it is here.
    pub(crate) available: bool,
    pub(crate) size: ManifestSize,
    /// `image`, `attestation` or `unknown`.
    pub(crate) kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image_data: Option<ManifestImage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attestation_data: Option<Attestation>,
}

/// Bytes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ManifestSize {
    /// Blobs and unpacked layers.
    pub(crate) total: u64,
    /// Blobs.
    pub(crate) content: u64,
}

/// The image of a manifest.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ManifestImage {
    pub(crate) platform: super::registry::Platform,
    pub(crate) containers: Vec<String>,
    pub(crate) size: UnpackedSize,
}

/// Bytes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UnpackedSize {
    pub(crate) unpacked: u64,
}

/// What a manifest that is no image describes.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Attestation {
    pub(crate) r#for: String,
}

/// The answer of `GET /images/{name}/json`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ImageInspect {
    pub(crate) id: String,
    pub(crate) repo_tags: Vec<String>,
    pub(crate) repo_digests: Vec<String>,
    pub(crate) parent: String,
    pub(crate) comment: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) created: Option<String>,
    pub(crate) docker_version: String,
    pub(crate) author: String,
    pub(crate) architecture: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) variant: String,
    pub(crate) os: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) os_version: String,
    pub(crate) size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) virtual_size: Option<u64>,
    pub(crate) graph_driver: GraphDriver,
    #[serde(rename = "RootFS")]
    pub(crate) root_fs: RootFs,
    pub(crate) metadata: Metadata,
    pub(crate) config: ImageConfig,
}

/// The layers.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct RootFs {
    pub(crate) r#type: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) layers: Vec<String>,
}

/// What the store knows beside the image.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Metadata {
    pub(crate) last_tag_time: String,
}

/// Defaults of containers made from an image.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ImageConfig {
    #[serde(flatten)]
    pub(crate) legacy: Option<LegacyConfig>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) args_escaped: bool,
    pub(crate) cmd: Option<Vec<String>>,
    pub(crate) entrypoint: Option<Vec<String>>,
    pub(crate) env: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Set::is_empty")]
    pub(crate) exposed_ports: Set,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) healthcheck: Option<HealthConfig>,
    pub(crate) labels: Option<BTreeMap<String, String>>,
    pub(crate) on_build: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shell: Option<Vec<String>>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) stop_signal: String,
    pub(crate) user: String,
    pub(crate) volumes: Option<Set>,
    pub(crate) working_dir: String,
}

/// Fields that say nothing about an image; before API 1.50.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LegacyConfig {
    hostname: &'static str,
    domainname: &'static str,
    attach_stdin: bool,
    attach_stdout: bool,
    attach_stderr: bool,
    tty: bool,
    open_stdin: bool,
    stdin_once: bool,
    image: &'static str,
}

/// An element of `GET /images/{name}/history`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct HistoryItem {
    pub(crate) comment: String,
    /// Seconds since 1970.
    pub(crate) created: i64,
    pub(crate) created_by: String,
    pub(crate) id: String,
    pub(crate) size: u64,
    pub(crate) tags: Option<Vec<String>>,
}

/// An element of the answer of a removal: one of the two.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Removed {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) untagged: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deleted: Option<String>,
}

/// The answer of `POST /commit`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Committed {
    pub(crate) id: String,
}

/// The answer of `POST /images/prune`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Pruned {
    pub(crate) images_deleted: Option<Vec<Removed>>,
    pub(crate) space_reclaimed: u64,
}
