//! Docker's JSON, as it is: one struct for what its documents call an object, with its keys, and with its choices
//! between absent, `null` and empty. Nothing here knows the engine;
//! but ports become ranges as they are read, in the words of `spec`.

pub(crate) mod config;
pub(crate) mod endpoint;
pub(crate) mod event;
pub(crate) mod exec;
pub(crate) mod host_config;
pub(crate) mod image;
pub(crate) mod inspect;
pub(crate) mod mount;
pub(crate) mod network;
pub(crate) mod ports;
pub(crate) mod registry;
pub(crate) mod settings;
pub(crate) mod stats;
pub(crate) mod store;
pub(crate) mod summary;
pub(crate) mod system;
pub(crate) mod volume;

use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;

/// Go's `map[string]struct{}`: a set, written `{"key":{}}`.
pub(crate) type Set = BTreeMap<String, Empty>;

/// `{}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, Deserialize)]
pub(crate) struct Empty {}

/// The set of these keys.
pub(crate) fn set<K: Into<String>>(keys: impl IntoIterator<Item = K>) -> Set {
    keys.into_iter().map(|key| (key.into(), Empty {})).collect()
}

/// A list, or a single text that stands for a list of one (Go's `strslice.StrSlice`).
pub(crate) fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a text or a list of texts")]
    enum Texts {
        One(String),
        Many(Vec<String>),
    }
    Ok(Option::<Texts>::deserialize(deserializer)?.map(|texts| match texts {
        Texts::One(text) => vec![text],
        Texts::Many(texts) => texts,
    }))
}

/// For `skip_serializing_if`: Go's `omitempty`.
pub(crate) fn is_zero<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
