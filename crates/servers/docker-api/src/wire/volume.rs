//! Volumes.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The body of `POST /volumes/create`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct CreateVolume {
    pub(crate) name: String,
    pub(crate) driver: String,
    pub(crate) driver_opts: BTreeMap<String, String>,
    pub(crate) labels: BTreeMap<String, String>,
    /// Of cluster volumes, which there are not.
    pub(crate) cluster_volume_spec: Option<serde_json::Value>,
}

/// A volume.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Volume {
    pub(crate) created_at: String,
    pub(crate) driver: String,
    pub(crate) labels: Option<BTreeMap<String, String>>,
    pub(crate) mountpoint: String,
    pub(crate) name: String,
    pub(crate) options: Option<BTreeMap<String, String>>,
    pub(crate) scope: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usage_data: Option<UsageData>,
}

/// In `GET /system/df`.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct UsageData {
    pub(crate) ref_count: usize,
    pub(crate) size: u64,
}

/// The answer of `GET /volumes`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Volumes {
    pub(crate) volumes: Vec<Volume>,
    pub(crate) warnings: Option<Vec<String>>,
}

/// The answer of `POST /volumes/prune`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Pruned {
    pub(crate) volumes_deleted: Option<Vec<String>>,
    pub(crate) space_reclaimed: u64,
}
