//! Owner, mode, times and extended attributes, in the order in which one does not undo the other.

use crate::archive::{Entry, Time};
use rustix::fd::{AsFd, AsRawFd, BorrowedFd};
use rustix::fs::{self, AtFlags, FileType, Gid, Mode, OFlags, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;
use std::io;

/// The overlay file system's own attributes: from an archive they could redirect lookups to elsewhere in the stack.
const OVERLAY: &[&[u8]] = &[b"trusted.overlay.", b"user.overlay."];

/// Whether an attribute may not come from an archive, nor go into one.
pub(crate) fn is_overlays(name: &[u8]) -> bool {
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

/// All attributes of a link, device or pipe, which can't be opened. It was just made by us; a container that is at work
/// in the directory may have put something else in its place. Hence everything goes through a handle of the thing
/// itself, which no path leads out of. Links have no mode of their own.
pub(super) fn apply_at(
    dir: BorrowedFd<'_>,
    base: &[u8],
    entry: &Entry,
    owner: (Uid, Gid),
    kind: FileType,
) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let handle = fs::openat(dir, base, flags, Mode::empty())?;
    if FileType::from_raw_mode(fs::fstat(&handle)?.st_mode) != kind {
        return Err(Errno::STALE.into());
    }
    fs::chownat(&handle, c"", Some(owner.0), Some(owner.1), AtFlags::EMPTY_PATH)?;
    // The calls that refuse such handles take this path, which leads to the very thing, also if that is a link.
    let path = format!("/proc/self/fd/{}", handle.as_raw_fd());
    if kind != FileType::Symlink {
        fs::chmodat(fs::CWD, &path, Mode::from_raw_mode(entry.mode), AtFlags::empty())?;
    }
    for (name, value) in &entry.xattrs {
        tolerate(fs::setxattr(&path, name.as_slice(), value, XattrFlags::empty()))?;
    }
    Ok(fs::utimensat(&handle, c"", &timestamps(entry.mtime), AtFlags::EMPTY_PATH)?)
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
