//! What a container changed.

use images::{Change, ChangeKind};
use serde::Serialize;

/// One line of `docker diff`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct WireChange {
    path: String,
    kind: u8,
}

/// None for a container that changed nothing: docker says `null`.
pub(crate) fn changes(changes: Vec<Change>) -> Option<Vec<WireChange>> {
    let wire = |change: Change| WireChange {
        path: change.path.to_string_lossy().into_owned(),
        kind: match change.kind {
            ChangeKind::Modified => 0,
            ChangeKind::Added => 1,
            ChangeKind::Deleted => 2,
        },
    };
    (!changes.is_empty()).then(|| changes.into_iter().map(wire).collect())
}
