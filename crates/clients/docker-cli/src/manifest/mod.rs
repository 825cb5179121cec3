//! The verbs of manifest lists, one file each. A list is put together on this machine and pushed as a whole.

pub(crate) mod annotate;
pub(crate) mod create;
pub(crate) mod inspect;
pub(crate) mod push;
pub(crate) mod rm;

mod drafts;

use crate::app::App;
use crate::failure::Outcome;
use crate::image::{auth, pull};
use serde::{Deserialize, Serialize};

/// A document of a registry.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Remote {
    descriptor: Descriptor,
    raw: String,
    platforms: Vec<Platform>,
}

/// A descriptor as the OCI writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    size: u64,
    digest: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    platform: Option<Platform>,
}

/// A platform as the OCI writes it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Platform {
    architecture: String,
    os: String,
    #[serde(rename = "os.version", skip_serializing_if = "String::is_empty")]
    os_version: String,
    #[serde(rename = "os.features", skip_serializing_if = "Vec::is_empty")]
    os_features: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    variant: String,
}

/// The full name of a reference, with its tag: `docker.io/library/busybox:latest`.
fn full(reference: &str) -> String {
    pull::normalized(&pull::tagged(reference))
}

async fn fetch(app: &App, name: &str) -> Outcome<Remote> {
    let request = app.client()?.get("/container-runtime/manifest").query("name", full(name));
    Ok(request.header("X-Registry-Auth", auth::header(app, name)).json().await?)
}
