//! Settings: what they are, and what a change came to.

use crate::wire::settings::{Change, Outcome, Pending, Shown, ShownKey};

/// The answer of `GET /container-runtime/config`.
pub(crate) fn shown(shown: engine::settings::Shown) -> Shown {
    let key = |key: engine::settings::ShownKey| ShownKey {
        key: key.key.to_string(),
        value: key.value,
        origin: key.origin.to_string(),
        works: key.change.to_string(),
    };
    let pending =
        |(key, value): (config::KeyPath, serde_json::Value)| Pending { key: key.to_string(), value };
    Shown {
        file: shown.file.display().to_string(),
        keys: shown.keys.into_iter().map(key).collect(),
        pending: shown.pending.into_iter().map(pending).collect(),
    }
}

/// The answer of what changes settings.
pub(crate) fn outcome(outcome: engine::settings::Outcome) -> Outcome {
    let change = |change: engine::settings::Change| Change {
        key: change.key.to_string(),
        from: change.from,
        to: change.to,
        works: change.works,
        needs_restart: change.needs_restart,
    };
    Outcome { changes: outcome.changes.into_iter().map(change).collect(), notes: outcome.notes }
}
