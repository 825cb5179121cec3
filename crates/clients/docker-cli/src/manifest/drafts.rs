//! Lists that are being put together: one file each in the configuration's directory.

use super::Descriptor;
use crate::app::App;
use crate::failure::{Failure, Outcome};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::path::PathBuf;

/// A list.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Draft {
    pub(super) entries: Vec<Entry>,
}

/// One manifest in it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The full name that it was added by.
    pub(super) name: String,
    pub(super) descriptor: Descriptor,
}

/// Where the list of this full name is.
fn path(app: &App, list: &str) -> PathBuf {
    let name: String = list.chars().map(|c| if "/:@".contains(c) { '_' } else { c }).collect();
    app.config_dir().join("container-runtime-manifests").join(format!("{name}.json"))
}

/// The list, if it was begun.
pub(super) fn load(app: &App, list: &str) -> Outcome<Option<Draft>> {
    match fs::read(path(app, list)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(format!("read {}: {error}", path(app, list).display()))),
        Ok(text) => serde_json::from_slice(&text)
            .map(Some)
            .map_err(|error| Failure::new(format!("{} is damaged: {error}", path(app, list).display()))),
    }
}

pub(super) fn store(app: &App, list: &str, draft: &Draft) -> Outcome {
    let path = path(app, list);
    let failed = |error: io::Error| Failure::new(format!("write {}: {error}", path.display()));
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    let text = serde_json::to_vec_pretty(draft).map_err(|error| failed(error.into()))?;
    let temporary = path.with_extension(format!("{}.new", std::process::id()));
    fs::write(&temporary, text).map_err(failed)?;
    fs::rename(&temporary, &path).map_err(failed)
}

/// Forgets the list. False: there was none.
pub(super) fn remove(app: &App, list: &str) -> Outcome<bool> {
    match fs::remove_file(path(app, list)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Failure::new(format!("delete {}: {error}", path(app, list).display()))),
        Ok(()) => Ok(true),
    }
}
