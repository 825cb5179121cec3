//! What a change came to.

use super::offer::offer;
use crate::Services;
use config::{Change as Works, Effective, KeyPath, hidden};
use errors::Result;
use serde_json::Value;
use std::future::Future;
use std::sync::Arc;

/// One key that changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// Which.
    pub key: KeyPath,
    /// Its value before, secrets hidden.
    pub from: Value,
    /// Its value now.
    pub to: Value,
    /// When it works, in words.
    pub works: String,
    /// Whether only a restart brings it.
    pub needs_restart: bool,
}

/// What a change came to.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// What differs from what was read before.
    pub changes: Vec<Change>,
    /// Sentences for a person.
    pub notes: Vec<String>,
}

/// Takes over what was read. Whoever calls holds the right to change; `keep` is done between the subscribers' consent and the
/// moment from which the settings count.
///
/// # Errors
/// Who refused; or that of `keep`, whatever comes of taking the change back.
pub(super) async fn take_over(
    services: &Arc<Services>,
    read: Effective,
    keep: impl Future<Output = Result<()>>,
) -> Result<Outcome> {
    let live = &services.settings;
    let (current, before) = (live.effective(), live.read());
    let held = read.held_to(&current).map_err(super::SettingsError::Wrong)?;
    // What waits for a restart may be something that what runs forbids.
    let wished = read.changes_from(&before);
    let (from, to) = (&before.settings, &read.settings);
    let taken = offer(&live.subscribers, services, from, to, &wished).await?;
    if let Err(error) = keep.await {
        taken.back(services, from, to).await;
        return Err(error);
    }
    let changes = wished.iter().map(|one| Change {
        key: one.path.clone(),
        from: hidden(&one.path, &one.from),
        to: hidden(&one.path, &one.to),
        works: one.change.to_string(),
        needs_restart: one.change == Works::Restart,
    });
    let outcome = Outcome { changes: changes.collect(), notes: taken.notes };
    if *before != read {
        live.replace(held, read);
    }
    for change in &outcome.changes {
        tracing::info!(key = %change.key, from = %change.from, to = %change.to, works = change.works, "a setting has changed");
    }
    Ok(outcome)
}
