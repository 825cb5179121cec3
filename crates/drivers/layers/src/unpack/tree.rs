//! The directory being filled: lookups that cannot leave it, with the directory of the last one kept open.

use crate::LayerError;
use crate::archive::Entry;
use crate::error::shown;
use crate::unpack::name::Name;
use rustix::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Uid};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// In a layer symbolic links are followed as long as they stay beneath the root, as in other engines; mounts never.
const LAYER: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS).union(ResolveFlags::NO_XDEV);
/// In a container they mean what they mean there, and what is mounted belongs to it.
const CONTAINER: ResolveFlags = ResolveFlags::IN_ROOT.union(ResolveFlags::NO_MAGICLINKS);
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Of directories that no entry of the archive describes.
const IMPLIED: Mode = Mode::from_raw_mode(0o755);

/// Why a lookup failed: the archive's fault or the host's.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(&'static str),
    Host(Errno),
}

impl Failure {
    pub(super) fn of(self, entry: &Entry) -> LayerError {
        let entry = shown(&entry.path);
        match self {
            Self::Refused(reason) => LayerError::Refused { entry, reason },
            Self::Host(errno) => LayerError::Unpack { entry, source: errno.into() },
        }
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::XDEV => Self::Refused("leads out of the root file system through a symbolic link"),
            Errno::LOOP => Self::Refused("passes too many symbolic links"),
            Errno::NOTDIR => Self::Refused("has a parent that is not a directory"),
            Errno::NAMETOOLONG => Self::Refused("has a name that is too long"),
            other => Self::Host(other),
        }
    }
}

pub(super) struct Tree {
    /// The directory that is filled.
    root: OwnedFd,
    place: Place,
    displaced: u64,
    /// The directory of the last lookup; none: the root.
    here: Option<Here>,
}

/// What the directory is part of.
pub(super) enum Place {
    /// Nothing: it becomes a layer, and nobody else can reach it. What an entry replaces goes to `aside`.
    Layer { aside: OwnedFd },
    /// The root file system of a container, which may be at work. What an entry replaces is deleted.
    Container {
        root: OwnedFd,
        /// Where in it the directory is, with a final slash.
        path: Vec<u8>,
        /// Whom directories belong to that no entry of the archive describes.
        owner: (Uid, Gid),
    },
}

struct Here {
    path: Vec<u8>,
    fd: OwnedFd,
    /// Whether what is made in it gets its group: the set-group-id bit.
    set_group: bool,
}

impl Here {
    fn new(path: &[u8], fd: OwnedFd) -> Result<Self, Errno> {
        let set_group = Mode::from_raw_mode(fs::fstat(&fd)?.st_mode).contains(Mode::SGID);
        Ok(Self { path: path.to_owned(), fd, set_group })
    }
}

impl Tree {
    pub(super) fn new(root: OwnedFd, place: Place) -> Self {
        Self { root, place, displaced: 0, here: None }
    }

    /// Goes to the directory `dir`, creating what is missing of it.
    pub(super) fn enter(&mut self, dir: &[u8]) -> Result<(), Failure> {
        if self.here.as_ref().is_some_and(|here| here.path == dir) {
            return Ok(());
        }
        self.here = None;
        if dir.is_empty() {
            return Ok(());
        }
        let opened = match self.open(dir) {
            Err(Errno::NOENT | Errno::NOTDIR) => self.create_all(dir)?,
            other => other?,
        };
        self.here = Some(Here::new(dir, opened)?);
        Ok(())
    }

    /// The directory of the last [`Tree::enter`].
    pub(super) fn here(&self) -> BorrowedFd<'_> {
        self.here.as_ref().map_or_else(|| self.root.as_fd(), |here| here.fd.as_fd())
    }

    /// Whether what is made in the present directory may get its group. The root's bit counts as set.
    pub(super) fn inherits(&self) -> bool {
        matches!(self.place, Place::Container { .. }) || self.here.as_ref().is_none_or(|here| here.set_group)
    }

    /// Makes `directory`, which is `name`, the present one.
    pub(super) fn stay_in(&mut self, name: &Name, fd: OwnedFd, set_group: bool) {
        if !name.is_root() {
            self.here = Some(Here { path: name.as_bytes().to_owned(), fd, set_group });
        }
    }

    /// The root, or the directory `name` in the present one.
    pub(super) fn open_child(&self, name: &Name) -> Result<OwnedFd, Errno> {
        let base = if name.is_root() { b"." } else { name.base() };
        fs::openat(self.here(), base, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())
    }

    /// The directory `name`, if there is still one.
    pub(super) fn open_directory(&self, name: &Name) -> Option<OwnedFd> {
        let path = if name.is_root() { b"." } else { name.as_bytes() };
        let flags = match self.place {
            Place::Layer { .. } => LAYER | ResolveFlags::NO_SYMLINKS,
            Place::Container { .. } => CONTAINER | ResolveFlags::NO_SYMLINKS,
        };
        fs::openat2(&self.root, path, DIRECTORY | OFlags::NOFOLLOW, Mode::empty(), flags).ok()
    }

    /// The directory that holds `name`, for the target of a hard link.
    pub(super) fn open_parent(&self, name: &Name) -> Result<OwnedFd, Errno> {
        self.open(if name.dir().is_empty() { b"." } else { name.dir() })
    }

    /// Type of what is at `base` in the present directory.
    pub(super) fn kind(&self, base: &[u8]) -> Result<(FileType, u64), Errno> {
        let stat = fs::statat(self.here(), base, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok((FileType::from_raw_mode(stat.st_mode), stat.st_rdev))
    }

    /// Whether a whiteout is at `base` in the present directory.
    pub(super) fn is_whiteout(&self, base: &[u8]) -> bool {
        matches!(self.place, Place::Layer { .. })
            && self.kind(base).is_ok_and(|kind| kind == (FileType::CharacterDevice, 0))
    }

    /// Runs `create`, which must fail if its name exists; moves away what is there and tries again.
    pub(super) fn replace<T>(
        &mut self,
        base: &[u8],
        create: impl Fn(BorrowedFd<'_>) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        match create(self.here()) {
            Err(Errno::EXIST) => {
                self.displace(base)?;
                create(self.here())
            }
            other => other,
        }
    }

    /// Takes `base` out of the tree, whatever it is. In a layer that is one rename, also of a directory full of files.
    pub(super) fn displace(&mut self, base: &[u8]) -> Result<(), Errno> {
        match &self.place {
            Place::Layer { aside } => {
                self.displaced += 1;
                fs::renameat(self.here(), base, aside, self.displaced.to_string())
            }
            Place::Container { .. } => delete(self.here(), base),
        }
    }

    /// The regular file `base` for writing it anew, where it cannot be replaced.
    pub(super) fn open_in_place(&self, base: &[u8]) -> Result<OwnedFd, Errno> {
        if self.kind(base)?.0 != FileType::RegularFile {
            return Err(Errno::BUSY);
        }
        let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let file = fs::openat(self.here(), base, flags, Mode::empty())?;
        if FileType::from_raw_mode(fs::fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(Errno::BUSY);
        }
        fs::ftruncate(&file, 0)?;
        Ok(file)
    }

    fn open(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        match &self.place {
            Place::Layer { .. } => open_steadily(self.root.as_fd(), path, LAYER),
            Place::Container { root, path: place, .. } => {
                open_steadily(root.as_fd(), &[place, path].concat(), CONTAINER)
            }
        }
    }

    /// Creates the components of `dir` that don't exist, one after the other.
    fn create_all(&mut self, dir: &[u8]) -> Result<OwnedFd, Failure> {
        let mut end = 0;
        loop {
            let rest = &dir[end..];
            let next = rest.iter().position(|&b| b == b'/').map_or(dir.len(), |slash| end + slash);
            let (path, base) = (&dir[..next], &dir[end..next]);
            let made = fs::mkdirat(self.here(), base, IMPLIED);
            if made == Err(Errno::EXIST) && self.is_whiteout(base) {
                self.replace_whiteout(base)?;
            } else if made != Err(Errno::EXIST) {
                made?;
            }
            // From the root, since a component may be a link to elsewhere beneath it.
            let opened = self.open(path)?;
            if let (Ok(()), Place::Container { owner, .. }) = (made, &self.place) {
                fs::fchown(&opened, Some(owner.0), Some(owner.1))?;
            }
            if next == dir.len() {
                return Ok(opened);
            }
            self.here = Some(Here::new(path, opened)?);
            end = next + 1;
        }
    }

    /// A directory in place of a whiteout hides what lower layers have, as the whiteout did.
    pub(super) fn replace_whiteout(&mut self, base: &[u8]) -> Result<(), Errno> {
        fs::unlinkat(self.here(), base, AtFlags::empty())?;
        fs::mkdirat(self.here(), base, IMPLIED)?;
        let directory = fs::openat(self.here(), base, DIRECTORY | OFlags::NOFOLLOW, Mode::empty())?;
        super::whiteout::make_opaque(directory.as_fd())
    }
}

/// Deletes `base` and what is in it.
fn delete(dir: BorrowedFd<'_>, base: &[u8]) -> Result<(), Errno> {
    match fs::unlinkat(dir, base, AtFlags::empty()) {
        Err(Errno::ISDIR) => {}
        other => return other,
    }
    let path = Path::new(&format!("/proc/self/fd/{}", dir.as_raw_fd())).join(OsStr::from_bytes(base));
    let left = durable::remove_tree(&path).map_err(|_| Errno::IO)?;
    let first = left.into_iter().next();
    first.map_or(Ok(()), |left| Err(Errno::from_io_error(&left.error).unwrap_or(Errno::IO)))
}

/// Opens a directory below `root`. A rename elsewhere on the machine may make the kernel give up on `..` in a
/// link; it says so, and a few more tries succeed.
fn open_steadily(root: BorrowedFd<'_>, path: &[u8], resolve: ResolveFlags) -> Result<OwnedFd, Errno> {
    let mut result = Err(Errno::AGAIN);
    for _ in 0..32 {
        result = fs::openat2(root, path, DIRECTORY, Mode::empty(), resolve);
        if !matches!(result, Err(Errno::AGAIN)) {
            break;
        }
    }
    result
}
