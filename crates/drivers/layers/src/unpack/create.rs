//! Making one thing for one entry.

use super::Unpacker;
use super::attributes::{self, owner};
use super::name::Name;
use super::tree::Failure;
use crate::archive::{Archive, Entry, Kind};
use crate::error::shown;
use crate::{LayerError, Result};
use rustix::fd::OwnedFd;
use rustix::fs::{self, AtFlags, Dev, FileType, Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, BufRead, Write};
use std::os::unix::fs::FileExt;

/// Files of at least this size begin to go to the disk at once; for smaller ones the call costs more than it gives.
const WRITE_BACK: u64 = 256 << 10;

impl Unpacker {
    pub(super) fn file<R: BufRead>(
        &mut self,
        entry: &Entry,
        name: &Name,
        archive: &mut Archive<R>,
    ) -> Result<()> {
        let owner = checked(entry)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let create =
            |dir: rustix::fd::BorrowedFd<'_>| fs::openat(dir, name.base(), flags, Mode::from_raw_mode(0o600));
        let opened = match self.tree.replace(name.base(), create) {
            // A mount on a file keeps it where it is.
            Err(Errno::BUSY) => self.tree.open_in_place(name.base()),
            other => other,
        };
        let mut file = File::from(opened.map_err(|errno| failed(entry)(errno.into()))?);
        match &entry.sparse {
            None => copy(archive, &mut file, entry)?,
            Some(sparse) => copy_sparse(archive, &file, entry, &sparse.extents)?,
        }
        if entry.size >= WRITE_BACK {
            // The sync of the whole layer comes later, and then has little to wait for. Only that one may fail.
            let _ = sys::writeback::begin(&file, 0, entry.file_size());
        }
        self.contents.size += entry.file_size();
        attributes::apply(&file, entry, owner, self.tree.inherits()).map_err(failed(entry))?;
        attributes::set_times(&file, entry.mtime).map_err(failed(entry))
    }

    /// One that exists is kept with what is in it and gets the entry's attributes.
    pub(super) fn directory(&mut self, entry: &Entry, name: &Name) -> Result<()> {
        let owner = checked(entry)?;
        let directory = self.open_or_create(name).map_err(|errno| failed(entry)(errno.into()))?;
        attributes::apply(&directory, entry, owner, true).map_err(failed(entry))?;
        let set_group = entry.mode & 0o2000 != 0;
        self.tree.stay_in(name, directory, set_group);
        self.set_time_later(name.clone(), entry.mtime)
    }

    fn open_or_create(&mut self, name: &Name) -> Result<OwnedFd, Errno> {
        if name.is_root() {
            return self.tree.open_child(name);
        }
        let base = name.base();
        match fs::mkdirat(self.tree.here(), base, Mode::from_raw_mode(0o700)) {
            Err(Errno::EXIST) => match self.tree.kind(base)? {
                (FileType::Directory, _) => {}
                _ if self.tree.is_whiteout(base) => self.tree.replace_whiteout(base)?,
                _ => {
                    self.tree.displace(base)?;
                    fs::mkdirat(self.tree.here(), base, Mode::from_raw_mode(0o700))?;
                }
            },
            other => other?,
        }
        self.tree.open_child(name)
    }

    /// Another name of a file of this very archive; a link to a link names the link.
    pub(super) fn hard_link(&mut self, entry: &Entry, name: &Name) -> Result<()> {
        let refused = |reason| LayerError::Refused { entry: shown(&entry.path), reason };
        let target =
            Name::parse(&entry.link).map_err(|_| refused("is a hard link to outside of its root"))?;
        if target == *name {
            return Ok(());
        }
        let missing = "is a hard link to a file that is not in the layer before it";
        let parent = match self.tree.open_parent(&target) {
            Err(Errno::NOENT | Errno::NOTDIR) => return Err(refused(missing)),
            other => other.map_err(|errno| Failure::from(errno).of(entry))?,
        };
        let stat =
            fs::statat(&parent, target.base(), AtFlags::SYMLINK_NOFOLLOW).map_err(|_| refused(missing))?;
        match (FileType::from_raw_mode(stat.st_mode), stat.st_rdev) {
            (FileType::Directory, _) => return Err(refused("is a hard link to a directory")),
            (FileType::CharacterDevice, 0) if self.rules.layer => return Err(refused(missing)),
            _ => {}
        }
        let link = |dir: rustix::fd::BorrowedFd<'_>| {
            fs::linkat(&parent, target.base(), dir, name.base(), AtFlags::empty())
        };
        self.tree.replace(name.base(), link).map_err(|errno| failed(entry)(errno.into()))
    }

    pub(super) fn symlink(&mut self, entry: &Entry, name: &Name) -> Result<()> {
        let owner = checked(entry)?;
        if entry.link.is_empty() {
            return Err(LayerError::Refused { entry: shown(&entry.path), reason: "is a link to nothing" });
        }
        let link = |dir: rustix::fd::BorrowedFd<'_>| fs::symlinkat(entry.link.as_slice(), dir, name.base());
        self.tree.replace(name.base(), link).map_err(|errno| failed(entry)(errno.into()))?;
        let kind = FileType::Symlink;
        attributes::apply_at(self.tree.here(), name.base(), entry, owner, kind).map_err(failed(entry))
    }

    /// A device or a pipe. What a container may do with a device is for its cgroup to say.
    pub(super) fn node(&mut self, entry: &Entry, name: &Name) -> Result<()> {
        let owner = checked(entry)?;
        let kind = match entry.kind {
            Kind::Character => FileType::CharacterDevice,
            Kind::Block => FileType::BlockDevice,
            _ => FileType::Fifo,
        };
        let device = device(entry).ok_or_else(|| LayerError::Refused {
            entry: shown(&entry.path),
            reason: "has an impossible device number",
        })?;
        let make = |dir: rustix::fd::BorrowedFd<'_>| {
            fs::mknodat(dir, name.base(), kind, Mode::from_raw_mode(0o600), device)
        };
        self.tree.replace(name.base(), make).map_err(|errno| failed(entry)(errno.into()))?;
        attributes::apply_at(self.tree.here(), name.base(), entry, owner, kind).map_err(failed(entry))
    }
}

fn failed(entry: &Entry) -> impl FnOnce(io::Error) -> LayerError + '_ {
    |source| LayerError::Unpack { entry: shown(&entry.path), source }
}

/// What must hold of every entry before anything is made of it.
fn checked(entry: &Entry) -> Result<(Uid, Gid)> {
    let refused = |reason| LayerError::Refused { entry: shown(&entry.path), reason };
    if entry.xattrs.iter().any(|(name, _)| attributes::is_overlays(name)) {
        return Err(refused("sets an attribute of the overlay file system itself"));
    }
    owner(entry).ok_or_else(|| refused("has an impossible owner"))
}

/// Twelve bits of major and twenty of minor number are what the kernel has.
fn device(entry: &Entry) -> Option<Dev> {
    let (major, minor) = entry.device;
    (major < 1 << 12 && minor < 1 << 20).then(|| fs::makedev(major, minor))
}

fn copy<R: BufRead>(archive: &mut Archive<R>, file: &mut File, entry: &Entry) -> Result<()> {
    loop {
        let chunk = archive.chunk()?;
        if chunk.is_empty() {
            return Ok(());
        }
        let count = file.write(chunk).map_err(failed(entry))?;
        archive.consume(count);
    }
}

fn copy_sparse<R: BufRead>(
    archive: &mut Archive<R>,
    file: &File,
    entry: &Entry,
    extents: &[crate::archive::Extent],
) -> Result<()> {
    file.set_len(entry.file_size()).map_err(failed(entry))?;
    for extent in extents {
        let mut done = 0;
        while done < extent.length {
            let chunk = archive.chunk()?;
            let most =
                usize::try_from(extent.length - done).map_or(chunk.len(), |most| most.min(chunk.len()));
            let count = file.write_at(&chunk[..most], extent.offset + done).map_err(failed(entry))?;
            archive.consume(count);
            done += count as u64;
        }
    }
    Ok(())
}
