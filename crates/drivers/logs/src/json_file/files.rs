//! The files of one log: which there are, in which order, and a consistent look at them while a writer renames.

use crate::Error;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A file that is no longer written to.
#[derive(Debug)]
pub(super) struct Rotated {
    /// 1 is the newest.
    pub(super) number: u32,
    pub(super) compressed: bool,
    pub(super) path: PathBuf,
}

/// Tells files apart, whatever they are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }

    /// Of what is called `path` at present.
    pub(super) fn at(path: &Path) -> io::Result<Self> {
        fs::metadata(path).map(|metadata| Self::of(&metadata))
    }
}

/// An open file of the log.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) identity: Identity,
    pub(super) compressed: bool,
}

/// The directory in which `path` lies.
pub(super) fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What the rotated file of this number is called.
pub(super) fn name(path: &Path, number: u32, compressed: bool) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}{}", if compressed { ".gz" } else { "" }));
    name.into()
}

/// The rotated files, oldest first. Where a crash left a number both plain and compressed, only the plain one.
pub(super) fn rotated(path: &Path) -> io::Result<Vec<Rotated>> {
    let base = path.file_name().unwrap_or_default().as_encoded_bytes();
    let mut found: Vec<Rotated> = Vec::new();
    for entry in fs::read_dir(directory(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let suffix = name.as_encoded_bytes().strip_prefix(base).and_then(|rest| rest.strip_prefix(b"."));
        let Some(suffix) = suffix.and_then(|suffix| str::from_utf8(suffix).ok()) else { continue };
        let (digits, compressed) = match suffix.strip_suffix(".gz") {
            Some(digits) => (digits, true),
            None => (suffix, false),
        };
        if let Ok(number) = digits.parse() {
            found.push(Rotated { number, compressed, path: entry.path() });
        }
    }
    found.sort_by_key(|rotated| (std::cmp::Reverse(rotated.number), rotated.compressed));
    found.dedup_by_key(|rotated| rotated.number);
    Ok(found)
}

/// Opens all files of the log, oldest first, as they were at one instant.
///
/// Nothing locks the writer out: where it renamed meanwhile, the look is repeated.
pub(super) fn open_all(path: &Path) -> Result<Vec<Opened>, Error> {
    let list = |cause| Error::io("list log files", path, cause);
    let mut opened = Vec::new();
    for _ in 0..100 {
        opened = try_open_all(path).map_err(list)?;
        let now = identities(path).map_err(list)?;
        if opened.iter().map(|file| file.identity).eq(now) {
            break;
        }
    }
    Ok(opened)
}

fn try_open_all(path: &Path) -> io::Result<Vec<Opened>> {
    let mut opened: Vec<Opened> = Vec::new();
    let rotated = rotated(path)?.into_iter().map(|rotated| (rotated.path, rotated.compressed));
    for (path, compressed) in rotated.chain([(path.to_owned(), false)]) {
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            other => other?,
        };
        let identity = Identity::of(&file.metadata()?);
        if !opened.iter().any(|known| known.identity == identity) {
            opened.push(Opened { file, identity, compressed });
        }
    }
    Ok(opened)
}

fn identities(path: &Path) -> io::Result<Vec<Identity>> {
    let rotated = rotated(path)?.into_iter().map(|rotated| rotated.path);
    Ok(rotated.chain([path.to_owned()]).filter_map(|path| Identity::at(&path).ok()).collect())
}
