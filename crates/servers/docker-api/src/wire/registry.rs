//! What registries say.

use serde::Serialize;

/// The answer of `GET /distribution/{name}/json`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Distribution {
    pub(crate) descriptor: Descriptor,
    pub(crate) platforms: Vec<Platform>,
}

/// A descriptor as the OCI writes it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
}

/// A platform as the OCI writes it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Platform {
    pub(crate) architecture: String,
    pub(crate) os: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) variant: String,
}

/// The answer of `GET /container-runtime/manifest`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Remote {
    pub(crate) descriptor: Descriptor,
    pub(crate) raw: String,
    pub(crate) platforms: Vec<Platform>,
}

/// An element of `GET /images/search`.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Found {
    pub(crate) star_count: i64,
    pub(crate) is_official: bool,
    pub(crate) name: String,
    pub(crate) is_automated: bool,
    pub(crate) description: String,
}

/// The answer of `POST /auth`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct LoggedIn {
    pub(crate) identity_token: String,
    pub(crate) status: String,
}
