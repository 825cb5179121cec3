//! Records in etcd: the note in the root directory, and what etcd is told of us.
//!
//! `<root>/state.etcd` says below which prefix the records are, and holds the number by which etcd knows this engine again: so a daemon
//! that was killed is let in at once, and another engine is not.

use super::place;
use crate::random;
use config::{Settings, StateDriver};
use durable::Sync;
use errors::{Class, Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use store::{EtcdOptions, Listing, StateStore};

#[derive(Debug, Serialize, Deserialize)]
struct Note {
    owner: String,
    prefix: String,
}

fn read(path: &Path) -> Result<Option<Note>> {
    let Some(bytes) = durable::read_optional(path)? else { return Ok(None) };
    let note = serde_json::from_slice(&bytes).map_err(|error| {
        Error::wrap(Class::Internal, error).context(format!("read {}", path.display())).hint(
            "If no other engine uses these records, remove the file: the daemon makes it anew, once etcd has given up the lock",
        )
    })?;
    Ok(Some(note))
}

pub(super) async fn open(settings: &Settings) -> Result<Arc<dyn StateStore>> {
    let (options, note, known) = prepare(settings)?;
    // First: should the daemon be killed now, the next one is known to etcd.
    if !known {
        write(&place(settings, StateDriver::Etcd), &note)?;
    }
    let opened = store::open_etcd(&options).await;
    if opened.is_err() && !known {
        // It was never in use.
        let _ = std::fs::remove_file(place(settings, StateDriver::Etcd));
    }
    Ok(opened?)
}

/// Puts records there, and the note when all are.
pub(super) async fn fill(settings: &Settings, listing: &Listing, replace: bool) -> Result<()> {
    let (options, note, _) = prepare(settings)?;
    store::fill_etcd(&options, listing, replace).await?;
    write(&place(settings, StateDriver::Etcd), &note)
}

fn write(path: &Path, note: &Note) -> Result<()> {
    let text = serde_json::to_vec(note).map_err(|error| Error::wrap(Class::Internal, error))?;
    Ok(durable::write_atomic_mode(path, &text, 0o600, Sync::FileAndDir)?)
}

fn prepare(settings: &Settings) -> Result<(EtcdOptions, Note, bool)> {
    let wanted = &settings.state.etcd;
    let path = place(settings, StateDriver::Etcd);
    let found = read(&path)?;
    let known = found.is_some();
    let note = match found {
        Some(note) if note.prefix != wanted.prefix => {
            let text = format!(
                "state.etcd.prefix is {}, but the engine's records are below {}",
                wanted.prefix, note.prefix
            );
            let hint = format!("Set it to that, or remove {} to begin without records", path.display());
            return Err(Error::new(Class::Conflict, text).hint(hint));
        }
        Some(note) => note,
        None => {
            let bytes = random::bytes()?;
            let owner = bytes[..16].iter().map(|byte| format!("{byte:02x}")).collect();
            Note { owner, prefix: wanted.prefix.clone() }
        }
    };
    let host = rustix::system::uname();
    let host = host.nodename().to_string_lossy().into_owned();
    let holder =
        format!("process {} of {host} ({})", std::process::id(), settings.runtime.root_dir.display());
    let mut options =
        EtcdOptions::new(wanted.endpoints.clone(), wanted.prefix.clone(), note.owner.clone(), holder);
    options.authority.clone_from(&wanted.authority);
    options.certificate.clone_from(&wanted.certificate);
    options.key.clone_from(&wanted.key);
    options.user.clone_from(&wanted.user);
    if let Some(path) = &wanted.password_file {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Error::wrap(errors::io_class(&error), error)
                .context(format!("read state.etcd.password_file {}", path.display()))
        })?;
        options.password = Some(text.lines().next().unwrap_or_default().to_owned());
    }
    Ok((options, note, known))
}
