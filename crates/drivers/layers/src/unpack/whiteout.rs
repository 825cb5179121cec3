//! Whiteouts: how a layer says that something of the layers below is gone.
//!
//! In archives they are empty files with a marked name (OCI image specification, "Whiteouts"), for overlay a character
//! device 0:0 or an attribute of the directory. They concern lower layers only: what the same layer has of that
//! name stays, whichever came first.

use super::Unpacker;
use crate::archive::Entry;
use crate::error::shown;
use crate::{LayerError, Result};
use rustix::fd::BorrowedFd;
use rustix::fs::{self, FileType, Mode, XattrFlags};
use rustix::io::Errno;

/// Begins the name of what says that the rest of its name is gone.
pub(crate) const PREFIX: &[u8] = b".wh.";
/// Says that its directory hides all that is below it.
pub(crate) const OPAQUE: &[u8] = b".wh..wh..opq";
/// Bookkeeping of AUFS that old archives carry.
const META: &[u8] = b".wh..wh.";

/// What a marked name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker<'a> {
    /// The directory hides what lower layers have in it.
    Opaque,
    /// The name hides what lower layers have there.
    Gone(&'a [u8]),
    /// Nothing.
    Ignored,
}

/// None for a name that is none of ours.
pub(super) fn parse(base: &[u8]) -> Result<Option<Marker<'_>>, &'static str> {
    let Some(name) = base.strip_prefix(PREFIX) else { return Ok(None) };
    match (base, name) {
        (OPAQUE, _) => Ok(Some(Marker::Opaque)),
        _ if base.starts_with(META) => Ok(Some(Marker::Ignored)),
        (_, b"" | b"." | b"..") => Err("is a whiteout of nothing"),
        _ => Ok(Some(Marker::Gone(name))),
    }
}

/// Hides what lower layers have in `directory`.
pub(super) fn make_opaque(directory: BorrowedFd<'_>) -> Result<(), Errno> {
    fs::fsetxattr(directory, "trusted.overlay.opaque", b"y", XattrFlags::empty())
}

impl Unpacker {
    pub(super) fn whiteout(&mut self, marker: Marker<'_>, entry: &Entry) -> Result<()> {
        let made = match marker {
            Marker::Ignored => Ok(()),
            Marker::Opaque => make_opaque(self.tree.here()),
            Marker::Gone(name) => self.hide(name),
        };
        made.map_err(|errno| LayerError::Unpack { entry: shown(&entry.path), source: errno.into() })
    }

    fn hide(&self, name: &[u8]) -> Result<(), Errno> {
        match fs::mknodat(self.tree.here(), name, FileType::CharacterDevice, Mode::empty(), 0) {
            Err(Errno::EXIST) => match self.tree.kind(name)? {
                (FileType::Directory, _) => {
                    let flags = fs::OFlags::RDONLY
                        | fs::OFlags::DIRECTORY
                        | fs::OFlags::NOFOLLOW
                        | fs::OFlags::CLOEXEC;
                    let directory = fs::openat(self.tree.here(), name, flags, Mode::empty())?;
                    make_opaque(rustix::fd::AsFd::as_fd(&directory))
                }
                _ => Ok(()),
            },
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marked_names() {
        assert_eq!(parse(b"file"), Ok(None));
        assert_eq!(parse(b".wh.a"), Ok(Some(Marker::Gone(b"a"))));
        assert_eq!(parse(b".wh..wh..opq"), Ok(Some(Marker::Opaque)));
        assert_eq!(parse(b".wh..wh.plnk"), Ok(Some(Marker::Ignored)));
        assert_eq!(parse(b".wh...."), Ok(Some(Marker::Gone(b"..."))));
        for bad in [&b".wh."[..], b".wh..", b".wh..."] {
            assert!(parse(bad).is_err(), "{}", bad.escape_ascii());
        }
    }
}
