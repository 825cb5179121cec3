//! A line of `GET /events`.

use serde::Serialize;
use std::collections::BTreeMap;

/// See the module. The first three say the same as others, for old clients.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Message {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) from: Option<String>,
    #[serde(rename = "Type")]
    pub(crate) kind: &'static str,
    #[serde(rename = "Action")]
    pub(crate) action: String,
    /// Ours alone: `container.created`.
    #[serde(rename = "Name")]
    pub(crate) name: String,
    #[serde(rename = "Actor")]
    pub(crate) actor: Actor,
    pub(crate) scope: &'static str,
    /// Seconds since 1970.
    pub(crate) time: i64,
    /// Nanoseconds since 1970.
    #[serde(rename = "timeNano")]
    pub(crate) time_nano: i64,
}

/// What an event is about.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Actor {
    #[serde(rename = "ID")]
    pub(crate) id: String,
    #[serde(rename = "Attributes")]
    pub(crate) attributes: BTreeMap<String, String>,
}
