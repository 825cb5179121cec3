//! Unpacking tar streams: a layer's into an empty directory, a client's into a container.
//!
//! The archive is a stranger's. Names are taken apart before use, every lookup is one `openat2(2)` that the kernel
//! keeps beneath the layer's root, and nothing that exists is ever opened for writing: an entry that meets another
//! of its name moves it aside first. What a symbolic link, a device or a pipe in the archive points to is never touched.

mod attributes;
mod create;
mod extract;
mod name;
mod rules;
mod tree;
mod whiteout;

pub(crate) use attributes::is_overlays;
pub(crate) use extract::extract;
pub use rules::{Extract, Owner};
pub(crate) use whiteout::{OPAQUE, PREFIX as WHITEOUT};

use crate::archive::{Archive, Entry, Kind, Time};
use crate::error::shown;
use crate::{LayerError, Result};
use name::Name;
use rules::Rules;
use rustix::fd::OwnedFd;
use std::io::{self, BufRead};
use tree::{Place, Tree};

/// How much a layer may have.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Bytes of the uncompressed stream.
    pub bytes: u64,
    /// Entries, which cost an inode each.
    pub entries: u64,
}

impl Default for Limits {
    /// Far above what images have: a tebibyte and ten million entries.
    fn default() -> Self {
        Self { bytes: 1 << 40, entries: 10_000_000 }
    }
}

/// What an archive turned out to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contents {
    /// Bytes of all regular files.
    pub size: u64,
    /// Entries, whiteouts included.
    pub entries: u64,
}

/// Directories whose times are still to be set; more than this many bytes of names are set early.
const MAX_PENDING: usize = 32 << 20;

struct Unpacker {
    tree: Tree,
    rules: Rules,
    contents: Contents,
    pending: Vec<(Name, Time)>,
    pending_bytes: usize,
}

/// Unpacks all of `archive` into `root`; what an entry replaces is moved to `aside`, on the same file system.
pub(crate) fn unpack<R: BufRead>(
    archive: Archive<R>,
    root: OwnedFd,
    aside: OwnedFd,
    limits: Limits,
) -> Result<Contents> {
    run(archive, Tree::new(root, Place::Layer { aside }), Rules::of_layer(), limits)
}

fn run<R: BufRead>(mut archive: Archive<R>, tree: Tree, rules: Rules, limits: Limits) -> Result<Contents> {
    let mut unpacker =
        Unpacker { tree, rules, contents: Contents::default(), pending: Vec::new(), pending_bytes: 0 };
    while let Some(mut entry) = archive.next_entry()? {
        unpacker.rules.adapt(&mut entry);
        unpacker.contents.entries += 1;
        if unpacker.contents.entries > limits.entries {
            return Err(LayerError::Limit { what: "entries", limit: limits.entries });
        }
        unpacker.entry(&entry, &mut archive)?;
    }
    unpacker.set_directory_times()?;
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(crate::archive::ArchiveError::from)?;
    Ok(unpacker.contents)
}

impl Unpacker {
    fn entry<R: BufRead>(&mut self, entry: &Entry, archive: &mut Archive<R>) -> Result<()> {
        let refused = |reason| LayerError::Refused { entry: shown(&entry.path), reason };
        if entry.kind == Kind::Note {
            return Ok(());
        }
        let name = Name::parse(&entry.path).map_err(refused)?;
        if entry.kind != Kind::Directory && name.is_root() {
            return Err(refused("would replace the root directory"));
        }
        self.tree.enter(name.dir()).map_err(|failure| failure.of(entry))?;
        if !self.rules.layer {
            return self.entry_of_client(entry, &name, archive);
        }
        match whiteout::parse(name.base()).map_err(refused)? {
            Some(marker) => self.whiteout(marker, entry),
            None => self.create(entry, &name, archive),
        }
    }

    fn create<R: BufRead>(&mut self, entry: &Entry, name: &Name, archive: &mut Archive<R>) -> Result<()> {
        match entry.kind {
            Kind::File => self.file(entry, name, archive),
            Kind::Directory => self.directory(entry, name),
            Kind::HardLink => self.hard_link(entry, name),
            Kind::Symlink => self.symlink(entry, name),
            Kind::Character | Kind::Block | Kind::Fifo => self.node(entry, name),
            Kind::Note => Ok(()),
            Kind::Unknown(_) => {
                let reason = "is of a type that no engine unpacks";
                Err(LayerError::Refused { entry: shown(&entry.path), reason })
            }
        }
    }

    /// Remembers to set a directory's time when nothing will be created in it any more.
    fn set_time_later(&mut self, name: Name, time: Time) -> Result<()> {
        self.pending_bytes += name.len() + size_of::<(Name, Time)>();
        self.pending.push((name, time));
        if self.pending_bytes > MAX_PENDING { self.set_directory_times() } else { Ok(()) }
    }

    /// Latest first, so that of two entries for one directory the later one wins. A directory that another entry
    /// has replaced since is passed over.
    fn set_directory_times(&mut self) -> Result<()> {
        let mut last: Option<Name> = None;
        self.pending.sort_by(|(a, _), (b, _)| a.cmp(b));
        for (name, time) in self.pending.drain(..).rev() {
            if last.as_ref() == Some(&name) {
                continue;
            }
            if let Some(directory) = self.tree.open_directory(&name) {
                let set = attributes::set_times(&directory, time);
                set.map_err(|source| LayerError::Unpack { entry: shown(name.as_bytes()), source })?;
            }
            last = Some(name);
        }
        self.pending_bytes = 0;
        Ok(())
    }
}
