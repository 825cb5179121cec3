//! Writing what a container sent.

use bytes::Bytes;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::Receiver;

/// How an archive is taken.
#[derive(Debug, Clone, Copy)]
pub(super) struct How {
    /// It is of what is in a directory, which itself has no name there.
    pub(super) contents: bool,
    /// Whether files belong to whom they belong in the container.
    pub(super) owners: bool,
}

/// Unpacks an archive of one thing into `directory`, where it gets the name `name`; empty: what is in it is put there.
///
/// The tar library refuses every escape from the directory that it unpacks to; what is to get another name is unpacked
/// beside its place and then moved.
pub(super) fn unpack(pieces: Pieces, directory: &Path, name: &str, how: How) -> io::Result<()> {
    let aside = directory.join(format!(".docker-cp-{}", std::process::id()));
    fs::create_dir(&aside)?;
    let target = if name.is_empty() { directory.to_owned() } else { directory.join(name) };
    let moved = unpack_beside(pieces, &aside, &target, how);
    fs::remove_dir_all(&aside)?;
    moved
}

fn unpack_beside(pieces: Pieces, aside: &Path, target: &Path, how: How) -> io::Result<()> {
    let mut tar = tar::Archive::new(pieces);
    tar.set_preserve_permissions(true);
    tar.set_preserve_ownerships(how.owners);
    // The archive of a directory's content has the directory itself for its first name.
    let inside = aside.join("copy");
    fs::create_dir(&inside)?;
    tar.unpack(&inside)?;
    // `dir/.` and `/` come without a name of their own.
    if how.contents {
        return merge(&inside, target, true);
    }
    match fs::read_dir(&inside)?.next() {
        Some(named) => merge(&named?.path(), target, false),
        None => Ok(()),
    }
}

/// Moves `from` to `to`: a directory into one that is there, anything else in the place of what is there. `keep`: the
/// directory that is there stays as it is.
fn merge(from: &Path, to: &Path, keep: bool) -> io::Result<()> {
    let new = fs::symlink_metadata(from)?;
    let Ok(old) = fs::symlink_metadata(to) else { return fs::rename(from, to) };
    match (old.is_dir(), new.is_dir()) {
        (false, false) => fs::rename(from, to),
        (true, false) => Err(refused("directory", to, "non-directory")),
        (false, true) => Err(refused("non-directory", to, "directory")),
        (true, true) => {
            for entry in fs::read_dir(from)? {
                let entry = entry?;
                merge(&entry.path(), &to.join(entry.file_name()), false)?;
            }
            if keep { Ok(()) } else { adopt(to, &new) }
        }
    }
}

fn refused(old: &str, path: &Path, new: &str) -> io::Error {
    io::Error::other(format!("cannot overwrite {old} {path:?} with {new}"))
}

/// Mode and time of the directory that was copied.
fn adopt(directory: &Path, like: &Metadata) -> io::Result<()> {
    fs::set_permissions(directory, like.permissions())?;
    fs::File::open(directory)?.set_modified(like.modified()?)
}

/// Pieces from a channel as a reader.
#[derive(Debug)]
pub(super) struct Pieces {
    receiver: Receiver<Bytes>,
    current: Bytes,
}

impl Pieces {
    pub(super) fn new(receiver: Receiver<Bytes>) -> Self {
        Self { receiver, current: Bytes::new() }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.receiver.recv() {
                Ok(piece) => self.current = piece,
                Err(_) => return Ok(0),
            }
        }
        let length = buffer.len().min(self.current.len());
        buffer[..length].copy_from_slice(&self.current.split_to(length));
        Ok(length)
    }
}
