//! Owner, mode, times and extended attributes, in the order in which one does not undo the other.

use crate::archive::{Entry, Time};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd};
use rustix::fs::{self, AtFlags, Gid, Mode, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;
use std::io;

/// The overlay file system's own attributes: from an archive they could redirect lookups to elsewhere in the stack.
const OVERLAY: &[&[u8]] = &[b"trusted.overlay.", b"user.overlay."];

/// Whether an attribute may not come from an archive.
pub(super) fn is_overlays(name: &[u8]) -> bool {
    OVERLAY.iter().any(|prefix| name.starts_with(prefix))
}

/// The entry's owner; -1 would mean "leave it".
pub(super) fn owner(entry: &Entry) -> Option<(Uid, Gid)> {
    let id = |id: u64| u32::try_from(id).ok().filter(|id| *id != u32::MAX);
    Some((Uid::from_raw(id(entry.uid)?), Gid::from_raw(id(entry.gid)?)))
}

/// All attributes but the times, of a file or directory that is open. Set-id bits and capabilities come after the
/// owner, whose change clears them. `inherits`: the directory it was made in gave it its own group.
pub(super) fn apply(file: impl AsFd, entry: &Entry, owner: (Uid, Gid), inherits: bool) -> io::Result<()> {
    let file = file.as_fd();
    if inherits || owner != (Uid::ROOT, Gid::ROOT) {
        fs::fchown(file, Some(owner.0), Some(owner.1))?;
    }
    fs::fchmod(file, Mode::from_raw_mode(entry.mode))?;
    for (name, value) in &entry.xattrs {
        tolerate(fs::fsetxattr(file, name.as_slice(), value, XattrFlags::empty()))?;
    }
    Ok(())
}

/// All attributes of a link, device or pipe, which can't be opened. It was just made by us, in a directory that
/// nobody else can reach. Links have no mode of their own.
pub(super) fn apply_at(
    dir: BorrowedFd<'_>,
    base: &[u8],
    entry: &Entry,
    owner: (Uid, Gid),
    symlink: bool,
) -> io::Result<()> {
    fs::chownat(dir, base, Some(owner.0), Some(owner.1), AtFlags::SYMLINK_NOFOLLOW)?;
    if !symlink {
        fs::chmodat(dir, base, Mode::from_raw_mode(entry.mode), AtFlags::empty())?;
    }
    if !entry.xattrs.is_empty() {
        let path = [format!("/proc/self/fd/{}/", dir.as_raw_fd()).as_bytes(), base].concat();
        for (name, value) in &entry.xattrs {
            tolerate(fs::lsetxattr(path.as_slice(), name.as_slice(), value, XattrFlags::empty()))?;
        }
    }
    Ok(fs::utimensat(dir, base, &timestamps(entry.mtime), AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Access and change times of an open file.
pub(super) fn set_times(file: impl AsFd, time: Time) -> io::Result<()> {
    Ok(fs::futimens(file, &timestamps(time))?)
}

fn timestamps(time: Time) -> Timestamps {
    let spec = Timespec { tv_sec: time.seconds, tv_nsec: time.nanoseconds.into() };
    Timestamps { last_access: spec, last_modification: spec }
}

/// Attributes that this file system or kernel doesn't have, or not on this kind of file, are passed over, as docker does.
fn tolerate(result: Result<(), Errno>) -> Result<(), Errno> {
    match result {
        Err(Errno::OPNOTSUPP | Errno::PERM | Errno::INVAL) => Ok(()),
        other => other,
    }
}
