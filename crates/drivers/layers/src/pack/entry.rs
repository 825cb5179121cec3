//! What the kernel says of a file as an entry of an archive.

use crate::archive::{Entry, Kind, Time};
use rustix::fs::{self, Stat};
use spec::IdMaps;

/// An entry without link and attributes.
pub(super) fn of(stat: &Stat, path: Vec<u8>, kind: Kind, ids: Option<&IdMaps>) -> Entry {
    let (uid, gid) = ids.map_or((stat.st_uid, stat.st_gid), |ids| ids.in_container(stat.st_uid, stat.st_gid));
    let device = match kind {
        Kind::Character | Kind::Block => (fs::major(stat.st_rdev), fs::minor(stat.st_rdev)),
        _ => (0, 0),
    };
    Entry {
        path,
        link: Vec::new(),
        kind,
        mode: stat.st_mode & 0o7777,
        uid: uid.into(),
        gid: gid.into(),
        mtime: Time {
            seconds: stat.st_mtime,
            nanoseconds: u32::try_from(stat.st_mtime_nsec).unwrap_or_default(),
        },
        device,
        size: if kind == Kind::File { u64::try_from(stat.st_size).unwrap_or_default() } else { 0 },
        sparse: None,
        xattrs: Vec::new(),
    }
}

/// Another name of what an earlier entry holds.
pub(super) fn hard_link(stat: &Stat, path: Vec<u8>, first: Vec<u8>, ids: Option<&IdMaps>) -> Entry {
    Entry { link: first, ..of(stat, path, Kind::HardLink, ids) }
}
