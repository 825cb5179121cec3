//! The messages of etcd's gRPC gateway: JSON with bytes in base64 and 64-bit numbers as strings; what is zero is left out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Value, json};

/// Bytes as the gateway wants them.
pub(super) fn bytes(of: impl AsRef<[u8]>) -> Value {
    Value::String(STANDARD.encode(of))
}

/// All keys that begin with `prefix`, as a range.
pub(super) fn below(prefix: &str) -> (Value, Value) {
    let mut end = prefix.as_bytes().to_vec();
    // Prefixes end with '/', so that there is a next byte.
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    (bytes(prefix), bytes(end))
}

/// A range of exactly one key, without its value.
pub(super) fn revision_of(key: &str) -> Value {
    json!({ "request_range": { "key": bytes(key), "keys_only": true } })
}

fn number<'de, D: Deserializer<'de>, T: std::str::FromStr>(from: D) -> Result<T, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(|_| de::Error::custom(format!("'{text}' is no number")))
}

fn base64<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    STANDARD.decode(String::deserialize(from)?).map_err(de::Error::custom)
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Header {
    #[serde(deserialize_with = "number")]
    pub(super) revision: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct KeyValue {
    #[serde(deserialize_with = "base64")]
    pub(super) key: Vec<u8>,
    #[serde(deserialize_with = "base64")]
    pub(super) value: Vec<u8>,
    #[serde(deserialize_with = "number")]
    pub(super) create_revision: u64,
    #[serde(deserialize_with = "number")]
    pub(super) mod_revision: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Range {
    pub(super) header: Header,
    pub(super) kvs: Vec<KeyValue>,
    pub(super) more: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Deleted {
    #[serde(deserialize_with = "number")]
    pub(super) deleted: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Txn {
    pub(super) header: Header,
    pub(super) succeeded: bool,
    pub(super) responses: Vec<Response>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Response {
    pub(super) response_range: Option<Range>,
    pub(super) response_put: Option<de::IgnoredAny>,
    pub(super) response_delete_range: Option<Deleted>,
    pub(super) response_txn: Option<Txn>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Lease {
    #[serde(rename = "ID", deserialize_with = "number")]
    pub(super) id: i64,
    /// Seconds; none: there is no such lease.
    #[serde(rename = "TTL", deserialize_with = "number")]
    pub(super) ttl: i64,
}

/// What answers come as that are streams.
#[derive(Debug, Deserialize)]
pub(super) struct Streamed<T> {
    pub(super) result: Option<T>,
    pub(super) error: Option<Complaint>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Watched {
    pub(super) created: bool,
    pub(super) canceled: bool,
    #[serde(deserialize_with = "number")]
    pub(super) compact_revision: u64,
    pub(super) cancel_reason: String,
    pub(super) events: Vec<Event>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Event {
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) kv: KeyValue,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Token {
    pub(super) token: String,
}

/// An error of etcd or of its gateway.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Complaint {
    /// gRPC's; a stream's error has it by another name.
    #[serde(alias = "grpc_code")]
    pub(super) code: u64,
    pub(super) message: String,
}

/// What is written under the lock's key.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Owner {
    /// Told from all others by this.
    pub(super) owner: String,
    /// For a person: which host, which process.
    pub(super) holder: String,
}
