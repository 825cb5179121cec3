//! What a container did to its root file system, as `docker diff` tells it.

use crate::error::at;
use crate::{Layers, Result, walk};
use rustix::fd::OwnedFd;
use rustix::fs::{self, Stat};
use rustix::io::Errno;
use spec::IdMaps;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// In content or attributes; of a directory also in what is in it. Docker's 0, `C`.
    Modified,
    /// Docker's 1, `A`.
    Added,
    /// Docker's 2, `D`.
    Deleted,
}

/// A path, absolute in the container, and what happened to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Begins with `/`.
    pub path: PathBuf,
    /// What happened.
    pub kind: ChangeKind,
}

impl Layers {
    /// What a container added, changed and deleted, sorted by path.
    pub fn changes(&self, key: &str) -> Result<Vec<Change>> {
        let path = self.snapshot_dir(key)?.join("upper");
        let upper = walk::open_root(&path).map_err(at("open", &path))?;
        let ids = self.ids(key)?;
        let mut diff = Diff { lower: self.open_lower(key)?, upper, ids, found: BTreeMap::new() };
        diff.compare().map_err(at("compare", &path))?;
        let change = |(path, kind)| Change { path: Path::new("/").join(path), kind };
        Ok(diff.found.into_iter().map(change).collect())
    }
}

/// The writable directory and the stack below it.
struct Diff {
    upper: OwnedFd,
    lower: OwnedFd,
    /// What the container's ids are in the writable directory.
    ids: Option<IdMaps>,
    found: BTreeMap<PathBuf, ChangeKind>,
}

impl Diff {
    fn compare(&mut self) -> Result<(), Errno> {
        let mut open = vec![PathBuf::new()];
        while let Some(dir) = open.pop() {
            let Ok(entries) = walk::list(&self.upper, &dir) else { continue };
            if self.is_opaque(&dir) {
                self.hidden(&dir, &entries);
            }
            for (path, stat) in entries {
                let below = self.below(&path)?;
                let directory = walk::is_dir(&stat);
                match (walk::is_whiteout(&stat), &below) {
                    (true, Some(_)) => self.record(&path, ChangeKind::Deleted),
                    (true, None) => {}
                    (false, None) => self.record(&path, ChangeKind::Added),
                    (false, Some(below)) if differs(below, &stat) => self.record(&path, ChangeKind::Modified),
                    (false, Some(_)) => {}
                }
                if directory {
                    open.push(path);
                } else if below.is_some_and(|below| walk::is_dir(&below)) && !walk::is_whiteout(&stat) {
                    self.hidden(&path, &[]);
                }
            }
        }
        Ok(())
    }

    /// A change is also one of every directory above that was there before.
    fn record(&mut self, path: &Path, kind: ChangeKind) {
        self.found.insert(path.to_owned(), kind);
        let above = path.ancestors().skip(1).filter(|dir| !dir.as_os_str().is_empty());
        for dir in above {
            self.found.entry(dir.to_owned()).or_insert(ChangeKind::Modified);
        }
    }

    /// What the stack has in a directory that the container has replaced.
    fn hidden(&mut self, dir: &Path, visible: &[(PathBuf, Stat)]) {
        for (path, _) in walk::list(&self.lower, dir).unwrap_or_default() {
            if !visible.iter().any(|(seen, _)| *seen == path) {
                self.record(&path, ChangeKind::Deleted);
            }
        }
    }

    /// What the stack has at `path`.
    fn below(&self, path: &Path) -> Result<Option<Stat>, Errno> {
        match walk::stat(&self.lower, path) {
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NAMETOOLONG) => Ok(None),
            Ok(mut stat) => {
                if let Some(ids) = &self.ids {
                    (stat.st_uid, stat.st_gid) = ids.on_host(stat.st_uid, stat.st_gid);
                }
                Ok(Some(stat))
            }
            Err(errno) => Err(errno),
        }
    }

    fn is_opaque(&self, dir: &Path) -> bool {
        let mut value = [0_u8; 2];
        let opened = walk::open_dir(&self.upper, dir);
        opened.is_ok_and(|fd| {
            fs::fgetxattr(fd, "trusted.overlay.opaque", &mut value) == Ok(1) && value[0] == b'y'
        })
    }
}

/// Of directories only owner and mode count: their times and sizes change with what is in them.
fn differs(a: &Stat, b: &Stat) -> bool {
    let common = |s: &Stat| (s.st_mode, s.st_uid, s.st_gid, s.st_rdev);
    let content = |s: &Stat| (s.st_size, s.st_mtime, s.st_mtime_nsec);
    common(a) != common(b) || (!walk::is_dir(a) && content(a) != content(b))
}
