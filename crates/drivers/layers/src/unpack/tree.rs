//! The directory being filled: lookups that cannot leave it, with the directory of the last one kept open.

use crate::LayerError;
use crate::archive::Entry;
use crate::error::shown;
use crate::unpack::name::Name;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// Symbolic links are followed as long as they stay beneath the root, as in other engines; mounts never.
const RESOLVE: ResolveFlags =
    ResolveFlags::BENEATH.union(ResolveFlags::NO_MAGICLINKS).union(ResolveFlags::NO_XDEV);
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
    root: OwnedFd,
    aside: OwnedFd,
    displaced: u64,
    /// The directory of the last lookup; none: the root.
    here: Option<Here>,
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
    pub(super) fn new(root: OwnedFd, aside: OwnedFd) -> Self {
        Self { root, aside, displaced: 0, here: None }
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

    /// Whether what is made in the present directory gets its group. The root's bit counts as set.
    pub(super) fn inherits(&self) -> bool {
        self.here.as_ref().is_none_or(|here| here.set_group)
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
        let flags = RESOLVE | ResolveFlags::NO_SYMLINKS;
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
        self.kind(base).is_ok_and(|kind| kind == (FileType::CharacterDevice, 0))
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

    /// Moves `base` out of the tree, whatever it is: one rename, also of a directory full of files.
    pub(super) fn displace(&mut self, base: &[u8]) -> Result<(), Errno> {
        self.displaced += 1;
        fs::renameat(self.here(), base, &self.aside, self.displaced.to_string())
    }

    fn open(&self, path: &[u8]) -> Result<OwnedFd, Errno> {
        open_beneath(self.root.as_fd(), path)
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

/// Opens a directory beneath `root`. A rename elsewhere on the machine may make the kernel give up on `..` in a
/// link; it says so, and a few more tries succeed.
fn open_beneath(root: BorrowedFd<'_>, path: &[u8]) -> Result<OwnedFd, Errno> {
    let mut result = Err(Errno::AGAIN);
    for _ in 0..32 {
        result = fs::openat2(root, path, DIRECTORY, Mode::empty(), RESOLVE);
        if !matches!(result, Err(Errno::AGAIN)) {
            break;
        }
    }
    result
}
