//! `config show`: what counts, and why.

use super::Live;
use config::{Change, Effective, KeyPath, Origin, hidden, key_of};
use serde_json::Value;
use std::path::PathBuf;

/// The settings for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The settings file, whether it is there or not.
    pub file: PathBuf,
    /// Every key, by section.
    pub keys: Vec<ShownKey>,
    /// Keys that wait for a restart, and what they will be.
    pub pending: Vec<(KeyPath, Value)>,
}

/// A key for a person.
#[derive(Debug, Clone, PartialEq)]
pub struct ShownKey {
    /// Which.
    pub key: KeyPath,
    /// Its value, secrets hidden; null: it is absent.
    pub value: Value,
    /// What it comes from.
    pub origin: Origin,
    /// When a change works.
    pub change: Change,
}

/// What a running engine works with.
pub fn shown(live: &Live) -> Shown {
    let (now, read) = (live.effective(), live.read());
    let pending = read.changes_from(&now).into_iter();
    let pending = pending.map(|one| (one.path.clone(), hidden(&one.path, &one.to))).collect();
    Shown { file: live.sources().file.clone(), keys: keys(&now), pending }
}

impl Shown {
    /// What an engine would work with that was started now.
    pub fn of(file: PathBuf, effective: &Effective) -> Self {
        Self { file, keys: keys(effective), pending: Vec::new() }
    }
}

fn keys(effective: &Effective) -> Vec<ShownKey> {
    let place = |path: &KeyPath| {
        config::SECTIONS.iter().position(|name| path.parts().first().is_some_and(|first| first == name))
    };
    let mut keys: Vec<ShownKey> = effective
        .entries()
        .map(|(path, entry)| ShownKey {
            key: path.clone(),
            value: hidden(path, &entry.value),
            origin: entry.origin.clone(),
            change: key_of(path).map_or(Change::Restart, |key| key.change),
        })
        .collect();
    // Within a section by name: sorting is stable.
    keys.sort_by_key(|one| place(&one.key));
    keys
}
