//! A change as JSON: in the files of records, in their journal, in exports.
//!
//! A value that is JSON, as those of the engine are, stands there as it is; another text as a string, other bytes in base64.

use crate::{Entry, Revision};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// One key's change.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stored {
    pub(crate) key: String,
    /// Of a deletion: when it was.
    pub(crate) modified: Revision,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) deleted: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    created: Option<Revision>,
    /// Over the other fields, where nothing else is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) checksum: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Stored {
    /// Without a checksum.
    pub(crate) fn new(key: &str, revision: Revision, entry: Option<&Entry>) -> Self {
        let (mut json, mut text, mut base64) = (None, None, None);
        if let Some(entry) = entry {
            match std::str::from_utf8(&entry.value) {
                Ok(value) => match as_json(value) {
                    Some(raw) => json = Some(raw),
                    None => text = Some(value.to_owned()),
                },
                Err(_) => base64 = Some(STANDARD.encode(&entry.value)),
            }
        }
        let created = entry.map(|entry| entry.created);
        let deleted = entry.is_none();
        Self { key: key.to_owned(), modified: revision, deleted, created, checksum: None, json, text, base64 }
    }

    /// What it says: an entry, or none of a deletion; an error for one that says neither, or both.
    pub(crate) fn entry(&self) -> Result<Option<Entry>, String> {
        let value = match (&self.json, &self.text, &self.base64) {
            (Some(json), None, None) => Some(json.get().as_bytes().to_vec()),
            (None, Some(text), None) => Some(text.clone().into_bytes()),
            (None, None, Some(base64)) => Some(STANDARD.decode(base64).map_err(|error| error.to_string())?),
            (None, None, None) => None,
            _ => return Err("it has several values".to_owned()),
        };
        match (value, self.created, self.deleted) {
            (Some(value), Some(created), false) => {
                Ok(Some(Entry { value: value.into(), created, modified: self.modified }))
            }
            (None, None, true) => Ok(None),
            _ => Err("it is neither a record nor a deletion".to_owned()),
        }
    }
}

/// The same text inside of a document, if it can stand there unchanged.
fn as_json(value: &str) -> Option<Box<RawValue>> {
    // A field that is null counts as absent.
    if value == "null" || value.trim() != value || value.chars().any(char::is_control) {
        return None;
    }
    RawValue::from_string(value.to_owned()).ok().filter(|raw| raw.get() == value)
}
