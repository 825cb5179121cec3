//! What all sources together come to, and what each value comes from.

use crate::key::{Change, Key, key_of};
use crate::{KeyPath, Layer, Origin, Problem, Settings, checks};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// A value and who says so.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// It; null if the key is absent.
    pub value: Value,
    /// The strongest source that names the key.
    pub origin: Origin,
}

/// The effective settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Effective {
    /// As types.
    pub settings: Settings,
    entries: BTreeMap<KeyPath, Entry>,
}

/// A key whose value differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// It.
    pub path: KeyPath,
    /// What it was; null if it was absent.
    pub from: Value,
    /// What it is to be.
    pub to: Value,
    /// When that works.
    pub change: Change,
}

impl Effective {
    /// The defaults alone.
    pub fn defaults() -> Self {
        let settings = Settings::default();
        let tree = serde_json::to_value(&settings).unwrap_or_default();
        let mut entries = BTreeMap::new();
        for key in crate::keys().filter(|key| !key.path.contains('*')) {
            let path = KeyPath::dotted(key.path);
            let value = lookup(&tree, &path);
            for (path, value) in spread(key, &path, value) {
                entries.insert(path, Entry { value, origin: Origin::Default });
            }
        }
        Self { settings, entries }
    }

    /// Puts the layers on the defaults, the weakest first, and checks the whole.
    ///
    /// # Errors
    /// Keys that do not go together.
    pub fn of(layers: impl IntoIterator<Item = Layer>) -> Result<Self, Vec<Problem>> {
        let mut entries = Self::defaults().entries;
        for (path, value, origin) in layers.into_iter().flat_map(|layer| layer.values) {
            entries.insert(path, Entry { value, origin });
        }
        Self::assembled(entries)
    }

    /// Every key that has a value or could have one, and each name below those that take names.
    pub fn entries(&self) -> impl Iterator<Item = (&KeyPath, &Entry)> {
        self.entries.iter()
    }

    /// The entry of a key.
    pub fn get(&self, path: &KeyPath) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// The tree without what is absent.
    pub fn tree(&self) -> Value {
        tree_of(present(&self.entries))
    }

    /// What differs from `old`.
    pub fn changes_from(&self, old: &Self) -> Vec<Changed> {
        let paths: BTreeSet<_> = self.entries.keys().chain(old.entries.keys()).collect();
        let value =
            |of: &Self, path| of.entries.get(path).map_or(Value::Null, |entry: &Entry| entry.value.clone());
        let changed = paths.into_iter().filter_map(|path| {
            let (from, to) = (value(old, path), value(self, path));
            let change = key_of(path)?.change;
            (from != to).then(|| Changed { path: path.clone(), from, to, change })
        });
        changed.collect()
    }

    /// These settings, but for what only a restart changes: that stays as it is in `running`.
    ///
    /// # Errors
    /// Keys that do not go together then.
    pub fn held_to(&self, running: &Self) -> Result<Self, Vec<Problem>> {
        let mut entries = self.entries.clone();
        for changed in self.changes_from(running) {
            if changed.change != Change::Restart {
                continue;
            }
            match running.entries.get(&changed.path) {
                Some(entry) => entries.insert(changed.path, entry.clone()),
                None => entries.remove(&changed.path),
            };
        }
        Self::assembled(entries)
    }

    fn assembled(entries: BTreeMap<KeyPath, Entry>) -> Result<Self, Vec<Problem>> {
        let tree = tree_of(present(&entries));
        let incomplete = checks::incomplete(&entries);
        if !incomplete.is_empty() {
            return Err(incomplete);
        }
        let settings = serde_json::from_value(tree).map_err(|error| {
            let message = error.to_string();
            vec![Problem { origin: Origin::Default, key: KeyPath::root(), message }]
        })?;
        let effective = Self { settings, entries };
        let problems = checks::check(&effective);
        if problems.is_empty() { Ok(effective) } else { Err(problems) }
    }
}

/// What a key's default is, a name at a time where it takes names.
fn spread(key: &Key, path: &KeyPath, value: Value) -> Vec<(KeyPath, Value)> {
    match value {
        Value::Object(names) if key.has_names() => {
            names.into_iter().map(|(name, value)| (path.child(&name), value)).collect()
        }
        value => vec![(path.clone(), value)],
    }
}

fn lookup(tree: &Value, path: &KeyPath) -> Value {
    path.parts().iter().try_fold(tree, |tree, part| tree.get(part)).cloned().unwrap_or_default()
}

/// What is not absent.
fn present(entries: &BTreeMap<KeyPath, Entry>) -> impl Iterator<Item = (&KeyPath, &Value)> {
    entries.iter().map(|(path, entry)| (path, &entry.value)).filter(|(_, value)| !value.is_null())
}

/// Values by key as a tree.
pub fn tree_of<'a>(entries: impl IntoIterator<Item = (&'a KeyPath, &'a Value)>) -> Value {
    let mut tree = Map::new();
    for (path, value) in entries {
        let Some((last, above)) = path.parts().split_last() else { continue };
        let mut section = Some(&mut tree);
        for part in above {
            section = section.and_then(|section| {
                section.entry(part).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
            });
        }
        if let Some(section) = section {
            section.insert(last.clone(), value.clone());
        }
    }
    Value::Object(tree)
}
