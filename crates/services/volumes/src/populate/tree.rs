//! Walking both trees, handle by handle.

use super::{CopyOptions, Durability, content, metadata};
use crate::{Result, VolumeError};
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::{CStr, OsStr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Levels below the directory; an image deeper than this was made to hurt.
const DEEPEST: usize = 500;

/// Copies the content and then the metadata of `source` to `target`.
pub(super) fn copy(source: OwnedFd, target: OwnedFd, options: &CopyOptions) -> Result<()> {
    let root = target.try_clone().map_err(|source| VolumeError::Populate {
        action: "open",
        path: PathBuf::new(),
        source,
    })?;
    let mut copier = Copier { root, links: HashMap::new(), path: PathBuf::new(), options };
    copier.run(source, target)
}

struct Copier<'a> {
    /// The volume's directory, from which hard links are found again.
    root: OwnedFd,
    /// Files with several names: where the first was copied to.
    links: HashMap<(u64, u64), PathBuf>,
    /// Where we are, relative to the directory that is copied.
    path: PathBuf,
    options: &'a CopyOptions,
}

/// A directory being copied.
struct Level {
    source: Dir,
    target: OwnedFd,
}

impl Copier<'_> {
    /// Depth-first with a stack of its own. A directory gets its metadata last, since filling it changes its times.
    fn run(&mut self, source: OwnedFd, target: OwnedFd) -> Result<()> {
        let mut levels = vec![Level { source: Dir::new(source).map_err(self.failed("read"))?, target }];
        while let Some(level) = levels.last_mut() {
            let Some(entry) = level.source.read().transpose().map_err(self.failed("read"))? else {
                self.finish(level)?;
                levels.pop();
                self.path.pop();
                continue;
            };
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            self.path.push(OsStr::from_bytes(name.to_bytes()));
            match self.entry(level, name)? {
                Some(below) if levels.len() < DEEPEST => levels.push(below),
                Some(_) => return Err(self.failed("descend into")(Errno::NAMETOOLONG)),
                None => drop(self.path.pop()),
            }
        }
        Ok(())
    }

    /// Copies one entry; a directory is made empty and returned to be filled.
    fn entry(&mut self, level: &Level, name: &CStr) -> Result<Option<Level>> {
        let source = level.source.fd().map_err(self.failed("read"))?;
        let stat =
            rustix::fs::statat(source, name, AtFlags::SYMLINK_NOFOLLOW).map_err(self.failed("look at"))?;
        let stat = self.on_host(stat);
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::Directory {
            return self.directory(source, &level.target, name).map(Some);
        }
        if stat.st_nlink > 1 && self.link(&level.target, name, &stat)? {
            return Ok(None);
        }
        let copied = match kind {
            FileType::RegularFile => self.file(source, &level.target, name, &stat),
            FileType::Symlink => symlink(source, &level.target, name),
            kind => {
                let mode = Mode::from_raw_mode(stat.st_mode);
                rustix::fs::mknodat(&level.target, name, kind, mode, stat.st_rdev)
            }
        };
        copied
            .and_then(|()| match kind {
                FileType::RegularFile => Ok(()),
                _ => metadata::copy_named(source, level.target.as_fd(), name, &stat),
            })
            .map_err(self.failed("copy"))?;
        Ok(None)
    }

    fn directory(&self, source: BorrowedFd<'_>, target: &OwnedFd, name: &CStr) -> Result<Level> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let below = rustix::fs::openat(source, name, flags, Mode::empty())
            .and_then(Dir::new)
            .map_err(self.failed("open"))?;
        rustix::fs::mkdirat(target, name, Mode::RWXU).map_err(self.failed("create"))?;
        let made = rustix::fs::openat(target, name, flags, Mode::empty()).map_err(self.failed("create"))?;
        Ok(Level { source: below, target: made })
    }

    fn file(&self, source: BorrowedFd<'_>, target: &OwnedFd, name: &CStr, stat: &Stat) -> Result<(), Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let from = rustix::fs::openat(source, name, flags, Mode::empty())?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let to = rustix::fs::openat(target, name, flags, Mode::RUSR | Mode::WUSR)?;
        content::copy(&from, &to)?;
        metadata::copy_open(&from, &to, stat)?;
        self.sync(&to)
    }

    /// Makes another name for a file that has been copied already; otherwise remembers this one.
    fn link(&mut self, target: &OwnedFd, name: &CStr, stat: &Stat) -> Result<bool> {
        let Some(first) = self.links.get(&(stat.st_dev, stat.st_ino)) else {
            self.links.insert((stat.st_dev, stat.st_ino), self.path.clone());
            return Ok(false);
        };
        // A container may have the volume already and put a link in the way.
        let holder = match first.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            Some(parent) => open_beneath(&self.root, parent),
            None => self.root.try_clone().map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        };
        holder
            .and_then(|holder| {
                let first = first.file_name().unwrap_or_default();
                rustix::fs::linkat(&holder, first, target, name, AtFlags::empty())
            })
            .map_err(self.failed("link"))?;
        Ok(true)
    }

    fn finish(&self, level: &Level) -> Result<()> {
        let source = level.source.fd().map_err(self.failed("read"))?;
        rustix::fs::fstat(source)
            .and_then(|stat| metadata::copy_open(source, &level.target, &self.on_host(stat)))
            .and_then(|()| self.sync(&level.target))
            .map_err(self.failed("copy the attributes of"))
    }

    /// With the owner that the copy gets.
    fn on_host(&self, mut stat: Stat) -> Stat {
        if let Some(ids) = &self.options.ids {
            (stat.st_uid, stat.st_gid) = ids.on_host(stat.st_uid, stat.st_gid);
        }
        stat
    }

    fn sync(&self, file: &OwnedFd) -> Result<(), Errno> {
        match self.options.durability {
            Durability::Later => Ok(()),
            Durability::Synced => rustix::fs::fsync(file),
        }
    }

    fn failed(&self, action: &'static str) -> impl FnOnce(Errno) -> VolumeError + use<> {
        let path = self.path.clone();
        move |error| VolumeError::Populate { action, path, source: error.into() }
    }
}

fn symlink(source: BorrowedFd<'_>, target: &OwnedFd, name: &CStr) -> Result<(), Errno> {
    let text = rustix::fs::readlinkat(source, name, Vec::new())?;
    rustix::fs::symlinkat(text, target, name)
}

fn open_beneath(root: &OwnedFd, path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::openat2(root, path, flags, Mode::empty(), ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
}
