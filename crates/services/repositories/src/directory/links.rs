//! Links of a registry in a directory: small files, replaced as a whole.
//!
//! A link without a record is an empty file that is simply made. The others are written in `.new` and renamed, so
//! that what a crash leaves half-written is all in one place.

use super::{Directory, Result};
use crate::key::{MARK, ROOT};
use crate::storage::LinkInfo;
use crate::{Key, RepositoryName, StorageError};
use bytes::Bytes;
use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

const NEW: &str = ".new";

fn at(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StorageError {
    move |source| StorageError::Link { action, key: path.display().to_string(), source }
}

/// Makes the directory of what is being written, and deletes what an earlier process left in it.
pub(super) fn empty_new(root: &Path) -> Result<()> {
    let new = root.join(ROOT).join(NEW);
    durable::create_dir_all(&new, 0o755)?;
    for entry in fs::read_dir(&new).map_err(at("read", &new))? {
        let path = entry.map_err(at("read", &new))?.path();
        fs::remove_file(&path).map_err(at("delete", &path))?;
    }
    Ok(())
}

/// Writes all, then syncs the directories in which names were made: first those of content, then those of links.
pub(super) fn write(directory: &Directory, links: &[(Key, Bytes)]) -> Result<()> {
    let mut content = BTreeSet::new();
    let mut folders = BTreeSet::new();
    for (key, record) in links {
        let path = directory.path(key);
        let Some(folder) = path.parent() else { continue };
        durable::create_dir_all(folder, 0o755)?;
        place(directory, &path, record)?;
        if let Some(digest) = key.content() {
            content.extend(directory.blobs.path(digest).parent().map(Path::to_owned));
        }
        folders.insert(folder.to_owned());
    }
    for dir in content.iter().chain(&folders) {
        durable::sync_dir(dir)?;
    }
    Ok(())
}

fn place(directory: &Directory, path: &Path, record: &Bytes) -> Result<()> {
    if record.is_empty() {
        // A record that was there before would say something else.
        return OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .map(drop)
            .map_err(at("create", path));
    }
    if fs::read(path).is_ok_and(|old| old == *record) {
        return Ok(());
    }
    let new = new_path(directory);
    let placed = File::create_new(&new)
        .and_then(|mut file| {
            file.write_all(record)?;
            file.sync_data()
        })
        .map_err(at("write", &new))
        .and_then(|()| fs::rename(&new, path).map_err(at("rename to", path)));
    if placed.is_err() {
        // The first error is the one to tell; the next start deletes what stays.
        let _ = fs::remove_file(&new);
    }
    placed
}

fn new_path(directory: &Directory) -> PathBuf {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    directory.root.join(ROOT).join(NEW).join(format!("{}-{number}", std::process::id()))
}

/// Deletes a link and says whether there was one.
pub(super) fn remove(path: &Path) -> Result<bool> {
    let existed = remove_lossy(path)?;
    if let Some(folder) = path.parent().filter(|_| existed) {
        durable::sync_dir(folder)?;
    }
    Ok(existed)
}

/// As [`remove`], but a power cut may bring it back.
pub(super) fn remove_lossy(path: &Path) -> Result<bool> {
    Ok(durable::remove_optional(path)?)
}

/// The links in a folder; none: it does not exist.
pub(super) fn list(folder: &Path) -> Result<Option<Vec<LinkInfo>>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(at("read", folder))?,
    };
    let mut links = Vec::new();
    for entry in entries {
        let entry = entry.map_err(at("read", folder))?;
        let modified = match entry.metadata().and_then(|stat| stat.modified()) {
            // Deleted meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other.map_err(at("stat", &entry.path()))?,
        };
        links.push(LinkInfo { name: entry.file_name().to_string_lossy().into_owned(), modified });
    }
    Ok(Some(links))
}

/// Every directory below `root` that holds folders of links.
pub(super) fn repositories(root: &Path) -> Result<Vec<RepositoryName>> {
    let mut found = Vec::new();
    let mut pending = vec![String::new()];
    while let Some(name) = pending.pop() {
        let path = root.join(&name);
        let mut is_repository = false;
        for entry in fs::read_dir(&path).map_err(at("read", &path))? {
            let part = entry.map_err(at("read", &path))?.file_name().to_string_lossy().into_owned();
            if part.starts_with(MARK) {
                is_repository = true;
            } else if !part.starts_with('.') {
                pending.push(if name.is_empty() { part } else { format!("{name}/{part}") });
            }
        }
        // What is no name of a repository is nothing of ours.
        found.extend(name.parse().ok().filter(|_| is_repository));
    }
    Ok(found)
}
