//! Owner, mode, extended attributes and times: in this order, since each wipes out some of those behind it.

use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;
use std::ffi::CStr;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

/// For files and directories that are open.
pub(super) fn copy_open(from: impl AsFd, to: impl AsFd, stat: &Stat) -> Result<(), Errno> {
    let (from, to) = (from.as_fd(), to.as_fd());
    rustix::fs::fchown(to, Some(Uid::from_raw(stat.st_uid)), Some(Gid::from_raw(stat.st_gid)))?;
    rustix::fs::fchmod(to, permissions(stat))?;
    copy_xattrs(
        |list| rustix::fs::flistxattr(from, list),
        |name, value| rustix::fs::fgetxattr(from, name, value),
        |name, value| rustix::fs::fsetxattr(to, name, value, XattrFlags::empty()),
    )?;
    rustix::fs::futimens(to, &times(stat))
}

/// For what cannot be opened: links, devices, pipes, sockets.
///
/// A container that has the volume may put something else into the place of what was just made. Hence everything
/// goes through a handle of the thing itself, which no path leads out of.
pub(super) fn copy_named(
    from: BorrowedFd<'_>,
    to: BorrowedFd<'_>,
    name: &CStr,
    stat: &Stat,
) -> Result<(), Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let from = rustix::fs::openat(from, name, flags, Mode::empty())?;
    let to = rustix::fs::openat(to, name, flags, Mode::empty())?;
    let kind = FileType::from_raw_mode(stat.st_mode);
    if FileType::from_raw_mode(rustix::fs::fstat(&to)?.st_mode) != kind {
        return Err(Errno::STALE);
    }
    let (uid, gid) = (Uid::from_raw(stat.st_uid), Gid::from_raw(stat.st_gid));
    rustix::fs::chownat(&to, c"", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
    let (source, target) = (through_proc(&from), through_proc(&to));
    if kind != FileType::Symlink {
        rustix::fs::chmodat(CWD, &target, permissions(stat), AtFlags::empty())?;
    }
    copy_xattrs(
        |list| rustix::fs::listxattr(&source, list),
        |name, value| rustix::fs::getxattr(&source, name, value),
        |name, value| rustix::fs::setxattr(&target, name, value, XattrFlags::empty()),
    )?;
    rustix::fs::utimensat(&to, c"", &times(stat), AtFlags::EMPTY_PATH)
}

/// The calls that refuse such handles take this path, which leads to the very thing, also if that is a link.
fn through_proc(handle: &OwnedFd) -> String {
    format!("/proc/self/fd/{}", handle.as_raw_fd())
}

/// Names and values are short as a rule; the kernel allows 64 KiB for each.
const LARGEST: usize = 64 << 10;

fn copy_xattrs(
    list: impl Fn(&mut [u8]) -> Result<usize, Errno>,
    get: impl Fn(&CStr, &mut [u8]) -> Result<usize, Errno>,
    set: impl Fn(&CStr, &[u8]) -> Result<(), Errno>,
) -> Result<(), Errno> {
    let Some(names) = read_growing(&list)? else { return Ok(()) };
    for name in names.split_inclusive(|byte| *byte == 0) {
        let name = CStr::from_bytes_with_nul(name).map_err(|_| Errno::INVAL)?;
        let Some(value) = read_growing(|buffer: &mut [u8]| get(name, buffer))? else { continue };
        match set(name, &value) {
            // The volume's file system may know fewer kinds; a security module guards its own.
            Ok(()) | Err(Errno::OPNOTSUPP) => {}
            Err(Errno::PERM | Errno::ACCESS) if name.to_bytes().starts_with(b"security.selinux") => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads into a buffer that is enlarged once; none where there are no attributes.
fn read_growing(read: impl Fn(&mut [u8]) -> Result<usize, Errno>) -> Result<Option<Vec<u8>>, Errno> {
    let mut buffer = vec![0; 256];
    let length = match read(&mut buffer) {
        Err(Errno::RANGE) => {
            buffer.resize(LARGEST, 0);
            read(&mut buffer)
        }
        result => result,
    };
    match length {
        Ok(length) => {
            buffer.truncate(length);
            Ok(Some(buffer))
        }
        Err(Errno::OPNOTSUPP | Errno::NODATA) => Ok(None),
        Err(error) => Err(error),
    }
}

fn permissions(stat: &Stat) -> Mode {
    Mode::from_raw_mode(stat.st_mode & 0o7777)
}

fn times(stat: &Stat) -> Timestamps {
    let time = |seconds, nanoseconds: u64| Timespec {
        tv_sec: seconds,
        tv_nsec: i64::try_from(nanoseconds).unwrap_or_default(),
    };
    Timestamps {
        last_access: time(stat.st_atime, stat.st_atime_nsec),
        last_modification: time(stat.st_mtime, stat.st_mtime_nsec),
    }
}
