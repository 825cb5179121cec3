//! A `/dev` that the user has bound, and that libcontainer was kept away from: it makes nodes and links in whatever is on
//! `/dev`, which would be the host's own directory.
//!
//! libcontainer finds a tmpfs on `/dev`, and the bind on [`PLACE`] in it. Once it has done its work there the bind is moved
//! over the tmpfs, with what belongs on it.

use rustix::fd::OwnedFd;
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, ResolveFlags, fstat, mkdirat, open, openat, openat2, statat,
};
use rustix::io::{Errno, Result};
use rustix::mount::{
    MountPropagationFlags, MoveMountFlags, OpenTreeFlags, mount_change, move_mount, open_tree,
};
use rustix::process::chdir;
use std::path::{Path, PathBuf};

/// Where libcontainer mounts the bind.
pub(crate) const PLACE: &str = "/dev/.bound";

/// What is to be done about the bind.
#[derive(Debug, Default)]
pub(crate) struct BoundDevices {
    /// Mounts in the tmpfs that belong on the bind, relative to `/dev`. None is below another one.
    pub(crate) covers: Vec<PathBuf>,
    /// How mounts propagate to and from the bind; none: as it is.
    pub(crate) propagation: Option<MountPropagationFlags>,
    /// Whether what is mounted on the bind shows on the host.
    pub(crate) is_shared: bool,
    /// Whether one of the covers is a devpts.
    pub(crate) has_terminals: bool,
    /// A working directory below `/dev`.
    pub(crate) directory: Option<PathBuf>,
}

impl BoundDevices {
    /// Puts everything into place, in the container and with its capabilities still there.
    pub(super) fn settle(&self, has_console: bool) -> std::result::Result<(), String> {
        let failed = |what: &Path, cause: Errno| format!("set up {}: {}", what.display(), words(cause));
        let devices = Path::new("/dev");
        let (below, bind) = self.open().map_err(|cause| failed(devices, cause))?;
        for cover in &self.covers {
            move_onto(&below, &bind, cover).map_err(|cause| failed(&devices.join(cover), cause))?;
        }
        if !self.is_shared {
            self.own_terminals(&below, &bind, has_console).map_err(|cause| failed(devices, cause))?;
        }
        move_tree(&bind, &below).map_err(|cause| failed(devices, cause))?;
        let Some(directory) = &self.directory else { return Ok(()) };
        chdir(directory).map_err(|cause| format!("chdir to cwd set in config.json failed: {}", words(cause)))
    }

    /// The tmpfs and the bind, ready to be moved: the kernel moves nothing out of a mount that is shared.
    fn open(&self) -> Result<(OwnedFd, OwnedFd)> {
        mount_change("/dev", MountPropagationFlags::PRIVATE)?;
        if let Some(propagation) = self.propagation {
            mount_change(PLACE, propagation | MountPropagationFlags::REC)?;
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok((open("/dev", flags, Mode::empty())?, open(PLACE, flags, Mode::empty())?))
    }

    /// A container's terminals come from its own devpts also where programs open `/dev/ptmx`, and its console is its own.
    /// What the bind lacks stays away: making it would be a change of the host's.
    fn own_terminals(&self, below: &OwnedFd, bind: &OwnedFd, has_console: bool) -> Result<()> {
        if self.has_terminals && is_device(bind, "ptmx")? {
            let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
            let ptmx = open_tree(bind, "pts/ptmx", flags | OpenTreeFlags::AT_SYMLINK_NOFOLLOW)?;
            move_tree(&ptmx, &find(bind, Path::new("ptmx"))?)?;
        }
        if has_console && is_device(bind, "console")? {
            move_onto(below, bind, Path::new("console"))?;
        }
        Ok(())
    }
}

fn is_device(directory: &OwnedFd, name: &str) -> Result<bool> {
    match statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error),
    }
}

fn move_onto(below: &OwnedFd, bind: &OwnedFd, place: &Path) -> Result<()> {
    let mount = find(below, place)?;
    let target = match find(bind, place) {
        Err(Errno::NOENT) => make(bind, place, &mount)?,
        found => found?,
    };
    move_tree(&mount, &target)
}

fn move_tree(mount: &OwnedFd, target: &OwnedFd) -> Result<()> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(mount, "", target, "", flags)
}

/// Follows no links, which may be another container's in a directory that is shared.
fn find(directory: &OwnedFd, place: &Path) -> Result<OwnedFd> {
    openat2(directory, place, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::NO_SYMLINKS)
}

/// Makes what the user's mount is to be mounted on, as runtimes do in every bind.
fn make(bind: &OwnedFd, place: &Path, mount: &OwnedFd) -> Result<OwnedFd> {
    let is_directory = FileType::from_raw_mode(fstat(mount)?.st_mode) == FileType::Directory;
    let (parent, name) = (place.parent().unwrap_or(place), place.file_name().ok_or(Errno::INVAL)?);
    let mut directory = find(bind, Path::new("."))?;
    for part in parent {
        made(mkdirat(&directory, part, Mode::from_raw_mode(0o755)))?;
        directory = find(&directory, Path::new(part))?;
    }
    if is_directory {
        made(mkdirat(&directory, name, Mode::from_raw_mode(0o755)))?;
    } else {
        let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        made(openat(&directory, name, flags, Mode::from_raw_mode(0o644)).map(drop))?;
    }
    find(&directory, Path::new(name))
}

fn made(result: Result<()>) -> Result<()> {
    if result == Err(Errno::EXIST) { Ok(()) } else { result }
}

fn words(cause: Errno) -> String {
    super::executor::words(&cause.into())
}
