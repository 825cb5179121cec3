//! What Docker does not have: the answers of our own paths about settings.

use serde::Serialize;
use serde_json::Value;

/// The answer of `GET /container-runtime/config`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Shown {
    pub(crate) file: String,
    pub(crate) keys: Vec<ShownKey>,
    pub(crate) pending: Vec<Pending>,
}

/// One key.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ShownKey {
    pub(crate) key: String,
    pub(crate) value: Value,
    pub(crate) origin: String,
    pub(crate) works: String,
}

/// A key that waits for a restart.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Pending {
    pub(crate) key: String,
    pub(crate) value: Value,
}

/// The answer of `POST /container-runtime/config/set` and `…/reload`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Outcome {
    pub(crate) changes: Vec<Change>,
    pub(crate) notes: Vec<String>,
}

/// A key that has changed.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Change {
    pub(crate) key: String,
    pub(crate) from: Value,
    pub(crate) to: Value,
    pub(crate) works: String,
    pub(crate) needs_restart: bool,
}
