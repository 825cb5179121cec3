//! `config set`: values are changed in the file, then taken over.

use super::change::take_over;
use super::{Outcome, SettingsError, Sources};
use crate::Services;
use config::{Effective, KeyPath, Node, Origin, edit, value_of};
use durable::Sync;
use errors::{Error, Result};
use std::str::FromStr;
use std::sync::Arc;

/// A key and the value that it is to have.
#[derive(Debug, Clone)]
pub struct Assignment {
    /// The key.
    pub path: KeyPath,
    /// The value.
    pub value: Node,
}

impl FromStr for Assignment {
    type Err = Error;

    /// `KEY=VALUE`.
    fn from_str(text: &str) -> Result<Self> {
        let wrong = |message: String| Error::from(SettingsError::Assignment(message));
        let (key, value) = text.split_once('=').ok_or_else(|| {
            wrong(format!("'{text}' is no KEY=VALUE, such as network.ip_range=172.30.0.0/16"))
        })?;
        let path = KeyPath::parse(key.trim()).map_err(wrong)?;
        let value = value_of(&path, value).map_err(|message| wrong(format!("{path}: {message}")))?;
        Ok(Self { path, value })
    }
}

/// Changes the file and takes the change over: all of it or nothing.
///
/// # Errors
/// A value that can't be, a part of the engine that refuses, a file that can't be changed without changing more than that.
pub async fn set(services: &Arc<Services>, assignments: Vec<Assignment>) -> Result<Outcome> {
    let live = &services.settings;
    let _changing = live.changing.lock().await;
    let sources = live.sources().clone();
    let wanted = assignments.clone();
    let (text, read) = offload::blocking(move || edited(&sources, &wanted)).await?;
    let sources = live.sources().clone();
    let written = offload::blocking(move || write(&sources, &text));
    let mut outcome = take_over(services, read, written).await?;
    outcome.notes.extend(without_effect(&live.read(), &assignments));
    Ok(outcome)
}

/// The same where no daemon runs. Answers sentences for a person.
///
/// # Errors
/// As [`set`].
pub fn set_in_file(sources: &Sources, assignments: &[Assignment]) -> Result<Vec<String>> {
    let (text, read) = edited(sources, assignments)?;
    write(sources, &text)?;
    Ok(without_effect(&read, assignments))
}

/// The file's new text, and what all sources come to with it.
fn edited(sources: &Sources, assignments: &[Assignment]) -> Result<(String, Effective)> {
    let mut text = sources.text()?.unwrap_or_default();
    for Assignment { path, value } in assignments {
        text = edit(&text, path, value)
            .map_err(|source| SettingsError::Edit { file: sources.file.clone(), source })?;
    }
    let read = sources.load_with(&text)?;
    Ok((text, read))
}

/// Replaces the file at once; a link stays one.
fn write(sources: &Sources, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let file = std::fs::canonicalize(&sources.file).unwrap_or_else(|_| sources.file.clone());
    if let Some(directory) = file.parent() {
        durable::create_dir_all(directory, 0o755)?;
    }
    let mode = std::fs::metadata(&file).map_or(0o644, |metadata| metadata.permissions().mode() & 0o7777);
    durable::write_atomic_mode(&file, text.as_bytes(), mode, Sync::FileAndDir)?;
    Ok(())
}

/// What stronger sources make of it.
fn without_effect(read: &Effective, assignments: &[Assignment]) -> Vec<String> {
    let stronger = assignments.iter().filter_map(|Assignment { path, .. }| {
        let entry = read.get(path)?;
        let who = match &entry.origin {
            Origin::Flag(_) | Origin::Environment(_) => entry.origin.to_string(),
            _ => return None,
        };
        let value = config::hidden(path, &entry.value);
        Some(format!("{path} stays {value}, since the {who} of the daemon is stronger than the file"))
    });
    stronger.collect()
}
