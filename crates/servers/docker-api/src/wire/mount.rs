//! Mounts: as asked for in `HostConfig.Mounts`, and as they are in `Mounts` of an inspected container.

use super::is_zero;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A mount as asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Mount {
    pub(crate) r#type: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) source: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) target: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) read_only: bool,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) consistency: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bind_options: Option<BindOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) volume_options: Option<VolumeOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) image_options: Option<ImageOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tmpfs_options: Option<TmpfsOptions>,
}

/// Of a host path.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct BindOptions {
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) propagation: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) non_recursive: bool,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) create_mountpoint: bool,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) read_only_non_recursive: bool,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) read_only_force_recursive: bool,
}

/// Of a volume.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct VolumeOptions {
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) no_copy: bool,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) subpath: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) driver_config: Option<Driver>,
}

/// A volume driver.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct Driver {
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) name: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) options: BTreeMap<String, String>,
}

/// Of an image.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct ImageOptions {
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) subpath: String,
}

/// Of memory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(crate) struct TmpfsOptions {
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) size_bytes: i64,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) mode: u32,
    /// Each a name, or a name and a value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) options: Vec<Vec<String>>,
}

/// A mount as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct MountPoint {
    pub(crate) r#type: &'static str,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) name: String,
    pub(crate) source: String,
    pub(crate) destination: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(crate) driver: String,
    pub(crate) mode: String,
    #[serde(rename = "RW")]
    pub(crate) rw: bool,
    pub(crate) propagation: &'static str,
}
