//! The volumes' directories: made before their record, set aside before it goes.

use crate::populate::{CopyOptions, Durability, copy_if_empty};
use crate::{ANONYMOUS_LABEL, Result, Volume, VolumeError};
use durable::{FileError, Trash};
use rustix::fs::{Gid, Uid};
use spec::IdMaps;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::DirBuilder;
use std::io::{self, ErrorKind};
use std::os::fd::BorrowedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// No volume's name begins with a dot.
const ASIDE: &str = ".removing-";

pub(crate) fn data(dir: &Path, name: &str) -> PathBuf {
    dir.join(name).join("_data")
}

/// Makes the directories of a volume that has no record yet, the inner one with this user and group. Says whether they were not
/// there: what is may be an earlier attempt's, or somebody's whom the store does not know any more, and stays as it is.
pub(crate) fn create(dir: &Path, name: &str, owner: (u32, u32)) -> Result<bool> {
    let volume = dir.join(name);
    let new = match DirBuilder::new().mode(0o701).create(&volume) {
        Ok(()) => true,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => false,
        Err(error) => return Err(at("create directory", &volume)(error)),
    };
    durable::create_dir_all(&data(dir, name), 0o755)?;
    adopt(dir, name, owner)?;
    durable::sync_dir(dir)?;
    Ok(new)
}

fn give_to(path: &Path, (uid, gid): (u32, u32)) -> Result<()> {
    if (uid, gid) == (0, 0) {
        return Ok(());
    }
    rustix::fs::chown(path, Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)))
        .map_err(|error| at("change the owner of", path)(error.into()))
}

/// Gives a volume that is empty and root's, as one from before ids were mapped is, to a container's root.
pub(crate) fn adopt(dir: &Path, name: &str, owner: (u32, u32)) -> Result<()> {
    let data = data(dir, name);
    let stat = std::fs::metadata(&data).map_err(at("stat", &data))?;
    if (stat.uid(), stat.gid()) != (0, 0) || has_content(&data) {
        return Ok(());
    }
    give_to(&data, owner)
}

/// Moves a volume's directory to where it belongs to nobody if the record goes too. Returns that place.
///
/// Synced, or a power cut could bring the directory back without its record, as a volume that was lost.
pub(crate) fn move_aside(dir: &Path, name: &str) -> Result<PathBuf> {
    let aside = dir.join(format!("{ASIDE}{name}"));
    rename_if_there(&dir.join(name), &aside)?;
    Ok(aside)
}

/// The inverse of [`move_aside`].
pub(crate) fn move_back(dir: &Path, name: &str) -> Result<()> {
    rename_if_there(&dir.join(format!("{ASIDE}{name}")), &dir.join(name))
}

fn rename_if_there(from: &Path, to: &Path) -> Result<()> {
    match durable::rename(from, to) {
        Err(error) if error.source.kind() == ErrorKind::NotFound => Ok(()),
        renamed => Ok(renamed?),
    }
}

/// Fills an empty volume that nobody else has mounted, in one step: the copy is made beside it and renamed.
pub(crate) fn populate(
    dir: &Path,
    name: &str,
    src_root: BorrowedFd<'_>,
    path: &Path,
    ids: Option<IdMaps>,
    trash: &Trash,
) -> Result<bool> {
    let (data, aside) = (data(dir, name), dir.join(name).join("_populate"));
    if has_content(&data) {
        return Ok(false);
    }
    trash.discard(&aside)?;
    DirBuilder::new().mode(0o755).create(&aside).map_err(at("create directory", &aside))?;
    match copy_if_empty(src_root, path, &aside, &CopyOptions { durability: Durability::Synced, ids }) {
        Ok(true) => durable::rename(&aside, &data).map(|()| true).map_err(Into::into),
        other => {
            trash.discard(&aside)?;
            other
        }
    }
}

/// Brings the directories in line with the records after whatever ended the last process, and returns what has content
/// but no record. With `keep_strays` nothing is discarded: what has no record may be somebody's whom the store does not know.
pub(crate) fn reconcile(
    dir: &Path,
    records: &BTreeSet<String>,
    keep_strays: bool,
    trash: &Trash,
) -> Result<Vec<Volume>> {
    durable::create_dir_all(dir, 0o701)?;
    let mut orphans = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(at("read", dir))? {
        let entry = entry.map_err(at("read", dir))?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        match name.strip_prefix(ASIDE) {
            Some(removed) if records.contains(removed) => move_back(dir, removed)?,
            Some(_) if keep_strays => {}
            Some(_) => trash.discard(&entry.path())?,
            None if records.contains(&name) || !ids::is_name(&name) => {}
            None if keep_strays && !has_content(&data(dir, &name)) => {}
            None => orphans.extend(readmit(dir, &name, trash)?),
        }
    }
    for name in records {
        trash.discard(&dir.join(name).join("_populate"))?;
        durable::create_dir_all(&data(dir, name), 0o755)?;
    }
    Ok(orphans)
}

/// What a directory without a record is to become: a volume, if it has content; else it was made and not recorded any more, and
/// is discarded.
pub(crate) fn readmit(dir: &Path, name: &str, trash: &Trash) -> Result<Option<Volume>> {
    if has_content(&data(dir, name)) {
        return Ok(Some(orphan(dir, name.to_owned())));
    }
    trash.discard(&dir.join(name))?;
    Ok(None)
}

/// The volumes' directories that there are, and whether something is mounted on their data.
pub(crate) fn listed(dir: &Path) -> Result<Vec<(String, bool)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(at("read", dir))? {
        let entry = entry.map_err(at("read", dir))?;
        let Some(name) = entry.file_name().to_str().map(str::to_owned) else { continue };
        if !name.starts_with(ASIDE)
            && ids::is_name(&name)
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
        {
            let mounted = crate::driver::is_mounted(&data(dir, &name)).unwrap_or(false);
            found.push((name, mounted));
        }
    }
    Ok(found)
}

fn orphan(dir: &Path, name: String) -> Volume {
    let created = std::fs::metadata(dir.join(&name)).map_or(0, |stat| stat.ctime() * 1_000_000_000);
    let anonymous = name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
    let labels = anonymous.then(|| (ANONYMOUS_LABEL.to_owned(), String::new())).into_iter().collect();
    Volume {
        name,
        driver: crate::DRIVER.to_owned(),
        options: BTreeMap::new(),
        labels,
        created,
        goes_with: None,
    }
}

/// One that can't be read is not known to be empty.
fn has_content(data: &Path) -> bool {
    match std::fs::read_dir(data) {
        Ok(mut entries) => entries.next().is_some(),
        Err(error) => error.kind() != ErrorKind::NotFound,
    }
}

fn at(action: &'static str, path: impl AsRef<OsStr>) -> impl FnOnce(io::Error) -> VolumeError {
    let path = PathBuf::from(path.as_ref());
    move |source| FileError { action, path, source }.into()
}
