//! Reading and writing the small files of cgroups.

use crate::error::{Error, Result};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

pub(crate) fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|cause| Error::File { action: "read", path: path.to_path_buf(), cause })
}

/// None where the file, or the whole cgroup, does not exist.
pub(crate) fn read_if_there(path: &Path) -> Result<Option<String>> {
    match read(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn write(path: &Path, text: &str) -> Result<()> {
    // Without O_CREAT: on a cgroup file system a missing file is an answer, not something to be made.
    let write = |file: &mut fs::File| std::io::Write::write_all(file, text.as_bytes());
    fs::OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| write(&mut file))
        .map_err(|cause| Error::File { action: "write", path: path.to_path_buf(), cause })
}

/// A file with a single number; `max` is `u64::MAX`.
pub(crate) fn number(path: &Path) -> Result<u64> {
    let text = read(path)?;
    parse_number(text.trim()).ok_or_else(|| unintelligible(path, &text))
}

pub(crate) fn number_if_there(path: &Path) -> Result<Option<u64>> {
    match number(path) {
        Ok(number) => Ok(Some(number)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

pub(crate) fn parse_number(text: &str) -> Option<u64> {
    if text == "max" { Some(u64::MAX) } else { u64::from_str(text).ok() }
}

/// A file of lines `name number`; other lines are passed over.
pub(crate) fn flat_keyed(path: &Path) -> Result<BTreeMap<String, u64>> {
    read(path).map(|text| parse_flat_keyed(&text))
}

pub(crate) fn parse_flat_keyed(text: &str) -> BTreeMap<String, u64> {
    text.lines()
        .filter_map(|line| line.split_once(' '))
        .filter_map(|(name, value)| Some((name.to_owned(), parse_number(value.trim())?)))
        .collect()
}

pub(crate) fn unintelligible(path: &Path, text: &str) -> Error {
    Error::Unintelligible { path: path.to_path_buf(), text: text.chars().take(200).collect() }
}

/// The cgroup and all below it, parents first; empty if it does not exist.
pub(crate) fn subtree(root: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut todo = vec![root.to_path_buf()];
    while let Some(directory) = todo.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(cause) => {
                let error = Error::File { action: "list", path: directory, cause };
                if error.is_missing() {
                    continue;
                }
                return Err(error);
            }
        };
        // Entries that vanish while they are listed are gone, which is fine.
        let children = entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        todo.extend(children.map(|entry| entry.path()));
        found.push(directory);
    }
    Ok(found)
}
