//! Directory trees into tar streams: a container's root file system, what it has changed, or a piece of it.
//!
//! A container may be at work in the tree meanwhile. Everything is therefore reached through directory handles, without
//! following a link: nothing that is put in the way leads out. What vanishes is left out, and a file has in the archive
//! the size that it had when it was opened. Of each directory first the files come, then the directories, both by
//! name: the same tree gives the same bytes.

pub(crate) mod attributes;
mod diff;
mod entry;
mod export;
mod links;
mod names;

pub use export::pack_contents;

use crate::archive::{ArchiveWriter, CopyError, Entry, Kind};
use crate::{LayerError, Result};
use links::Links;
use names::Names;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, Dir, FileType, Mode, OFlags, ResolveFlags, Stat};
use rustix::io::Errno;
use spec::IdMaps;
use std::ffi::{CStr, CString};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How a tree is packed.
#[derive(Debug, Clone, Default)]
pub struct PackOptions {
    /// What the container's ids are in the tree; the archive has the container's.
    pub ids: Option<IdMaps>,
    /// Whether what is mounted in the tree belongs to it.
    pub across_mounts: bool,
}

/// Packs the directory `dir` and all that is in it under the name `name`: `etc` gives `etc/`, `etc/passwd`, …
///
/// # Errors
/// [`LayerError::Io`] where reading fails, [`LayerError::Output`] where writing does.
pub fn pack_directory(dir: impl AsFd, name: &[u8], options: &PackOptions, output: impl Write) -> Result<()> {
    let names = Names::below(name);
    let mut packer = Packer::new(dir.as_fd(), names, options, Meaning::Files, output);
    packer.tree()?;
    packer.finish()
}

/// Packs `base` in the directory `parent`, which is no directory itself, under its name. Answers whether it was there.
pub fn pack_file(parent: impl AsFd, base: &CStr, options: &PackOptions, output: impl Write) -> Result<bool> {
    let mut packer = Packer::new(parent.as_fd(), Names::plain(), options, Meaning::Files, output);
    let there = packer.file(parent.as_fd(), Path::new(""), base)?;
    packer.finish()?;
    Ok(there)
}

/// What overlay's own marks in the tree mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// Nothing: there are none.
    Files,
    /// What the tree hides of those below it.
    Layer,
}

struct Packer<'a, W> {
    root: BorrowedFd<'a>,
    names: Names,
    options: &'a PackOptions,
    meaning: Meaning,
    links: Links,
    archive: ArchiveWriter<W>,
}

impl<'a, W: Write> Packer<'a, W> {
    fn new(
        root: BorrowedFd<'a>,
        names: Names,
        options: &'a PackOptions,
        meaning: Meaning,
        output: W,
    ) -> Self {
        let archive = ArchiveWriter::new(output);
        Self { root, names, options, meaning, links: Links::default(), archive }
    }

    fn finish(self) -> Result<()> {
        self.archive.finish().map(drop).map_err(LayerError::Output)
    }

    /// The root and everything below it. What is kept of the tree are the directories that are still to come.
    fn tree(&mut self) -> Result<()> {
        let mut open = vec![PathBuf::new()];
        while let Some(path) = open.pop() {
            let Some(directory) = there(self.open_directory(&path), "open", &path)? else { continue };
            let stat = fs::fstat(&directory).map_err(failed("look at", &path))?;
            let Some((files, directories)) = there(children(&directory), "read", &path)? else { continue };
            self.directory(&directory, &path, &stat)?;
            for name in files {
                self.file(directory.as_fd(), &path, &name)?;
            }
            let below = directories.iter().rev().map(|name| path.join(os(name)));
            open.extend(below);
        }
        Ok(())
    }

    fn open_directory(&self, path: &Path) -> Result<OwnedFd, Errno> {
        let mut resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        if !self.options.across_mounts {
            resolve |= ResolveFlags::NO_XDEV;
        }
        let here = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        fs::openat2(self.root, here, DIRECTORY, Mode::empty(), resolve)
    }

    fn directory(&mut self, directory: &OwnedFd, path: &Path, stat: &Stat) -> Result<()> {
        let Some(name) = self.names.directory(path) else { return Ok(()) };
        let mut entry = entry::of(stat, name, Kind::Directory, self.options.ids.as_ref());
        let attributes = attributes::of_open(directory).map_err(failed("read the attributes of", path))?;
        entry.xattrs = attributes::for_archive(attributes, self.options.ids.as_ref());
        self.write(&entry, path)?;
        match self.meaning {
            Meaning::Files => Ok(()),
            Meaning::Layer => self.opaque(directory, path),
        }
    }

    /// Anything but a directory. Answers whether it was there.
    fn file(&mut self, parent: BorrowedFd<'_>, dir: &Path, base: &CStr) -> Result<bool> {
        let path = dir.join(os(base));
        let look = || fs::statat(parent, base, fs::AtFlags::SYMLINK_NOFOLLOW);
        let Some(stat) = there(look(), "look at", &path)? else { return Ok(false) };
        if self.meaning == Meaning::Layer && self.marker(&path, base, &stat)? {
            return Ok(true);
        }
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => self.regular(parent, &path, base),
            // One that has just become a directory is not what was listed; nobody can do anything with a socket.
            FileType::Directory | FileType::Socket | FileType::Unknown => Ok(true),
            _ => self.special(parent, &path, base, &stat),
        }
    }

    fn regular(&mut self, parent: BorrowedFd<'_>, path: &Path, base: &CStr) -> Result<bool> {
        // Whatever has taken its place meanwhile does not hold us up.
        let opened = fs::openat(parent, base, FILE, Mode::empty());
        let Some(file) = there(opened, "open", path)? else { return Ok(false) };
        let stat = fs::fstat(&file).map_err(failed("look at", path))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Ok(false);
        }
        let name = self.names.of(path);
        if let Some(first) = self.links.earlier(&stat, &name) {
            self.write(&entry::hard_link(&stat, name, first, self.options.ids.as_ref()), path)?;
            return Ok(true);
        }
        let mut entry = entry::of(&stat, name, Kind::File, self.options.ids.as_ref());
        let attributes = attributes::of_open(&file).map_err(failed("read the attributes of", path))?;
        entry.xattrs = attributes::for_archive(attributes, self.options.ids.as_ref());
        self.write(&entry, path)?;
        match self.archive.content_of(&file.into(), entry.size) {
            Ok(_) => Ok(true),
            Err(CopyError::Write(error)) => Err(LayerError::Output(error)),
            Err(CopyError::Read(source)) => {
                Err(LayerError::Io { action: "read", path: path.to_owned(), source })
            }
        }
    }

    /// A link, a device or a pipe, none of which is opened.
    fn special(&mut self, parent: BorrowedFd<'_>, path: &Path, base: &CStr, stat: &Stat) -> Result<bool> {
        let name = self.names.of(path);
        if let Some(first) = self.links.earlier(stat, &name) {
            self.write(&entry::hard_link(stat, name, first, self.options.ids.as_ref()), path)?;
            return Ok(true);
        }
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => Kind::Symlink,
            FileType::BlockDevice => Kind::Block,
            FileType::CharacterDevice => Kind::Character,
            _ => Kind::Fifo,
        };
        let mut entry = entry::of(stat, name, kind, self.options.ids.as_ref());
        if kind == Kind::Symlink {
            let target = fs::readlinkat(parent, base, Vec::new());
            let Some(target) = there(target, "read the link", path)? else { return Ok(false) };
            entry.link = target.into_bytes();
        }
        let attributes = attributes::of_named(parent, base);
        let Some(attributes) = there(attributes, "read the attributes of", path)? else { return Ok(false) };
        entry.xattrs = attributes::for_archive(attributes, self.options.ids.as_ref());
        self.write(&entry, path)?;
        Ok(true)
    }

    fn write(&mut self, entry: &Entry, path: &Path) -> Result<()> {
        self.archive.entry(entry).map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidInput => {
                LayerError::Io { action: "put into an archive", path: path.to_owned(), source: error }
            }
            _ => LayerError::Output(error),
        })
    }
}

const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);

/// Names in a directory by byte: of what is no directory, and of directories.
fn children(directory: &OwnedFd) -> Result<(Vec<CString>, Vec<CString>), Errno> {
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => match fs::statat(directory, name, fs::AtFlags::SYMLINK_NOFOLLOW) {
                Err(Errno::NOENT) => continue,
                stat => FileType::from_raw_mode(stat?.st_mode),
            },
            kind => kind,
        };
        let list = if kind == FileType::Directory { &mut directories } else { &mut files };
        list.push(name.to_owned());
    }
    files.sort_unstable();
    directories.sort_unstable();
    Ok((files, directories))
}

/// None for what has vanished, has become something else, has a mount upon it, or is too deep for the kernel.
fn there<T>(result: Result<T, Errno>, action: &'static str, path: &Path) -> Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(
            Errno::NOENT
            | Errno::NOTDIR
            | Errno::LOOP
            | Errno::XDEV
            | Errno::STALE
            | Errno::NXIO
            | Errno::NAMETOOLONG,
        ) => Ok(None),
        Err(errno) => Err(failed(action, path)(errno)),
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(Errno) -> LayerError {
    move |errno| LayerError::Io { action, path: Path::new("/").join(path), source: errno.into() }
}

fn os(name: &CStr) -> &std::ffi::OsStr {
    std::ffi::OsStr::from_bytes(name.to_bytes())
}
