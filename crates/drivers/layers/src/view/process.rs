//! The root file system that a running container has mounted. Another mount of its writable directory would not do:
//! what is written there behind the kernel's back may never be seen by the container.

use crate::error::at;
use crate::{LayerError, Result, thread};
use rustix::fd::{AsRawFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, CWD, Mode, OFlags};
use rustix::mount::{OpenTreeFlags, open_tree};
use std::fs::read_to_string;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A mount of its own of the root of the process's mount namespace, without what is mounted in it. This thread comes
/// back to the namespace `home`, at its root.
pub(super) fn clone_root(pid: u32, home: BorrowedFd<'_>) -> Result<OwnedFd> {
    let path = PathBuf::from(format!("/proc/{pid}/ns/mnt"));
    let theirs =
        fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(at("open", &path))?;
    let back = fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(at("open", &path))?;
    thread::enter(rustix::fd::AsFd::as_fd(&theirs)).map_err(at("enter", &path))?;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let root = open_tree(CWD, "/", flags).map_err(at("clone the root of", &path));
    thread::enter(home).map_err(at("come back from", &path))?;
    // Into the chroot of the engine, if it is in one.
    rustix::process::fchdir(&back)
        .and_then(|()| rustix::process::chroot("."))
        .map_err(at("come back from", &path))?;
    root
}

/// Checks that the attached mount is the one whose writable directory is `upper`: the process of a container in a virtual
/// machine has the host's root, or some other.
pub(super) fn check(mount: BorrowedFd<'_>, upper: &Path) -> Result<()> {
    let fdinfo = PathBuf::from(format!("/proc/thread-self/fdinfo/{}", mount.as_raw_fd()));
    let text = read_to_string(&fdinfo).map_err(at("read", &fdinfo))?;
    let id = text.lines().find_map(|line| line.strip_prefix("mnt_id:")).map(str::trim);
    let table = Path::new("/proc/thread-self/mountinfo");
    let mounts = read_to_string(table).map_err(at("read", table))?;
    let ours = mounts.lines().any(|line| line.split(' ').next() == id && is_overlay_of(line, upper));
    if ours { Ok(()) } else { Err(LayerError::ForeignRoot { upper: upper.to_owned() }) }
}

/// Whether a line of `mountinfo` (proc_pid_mountinfo(5)) is of an overlay with this writable directory.
fn is_overlay_of(line: &str, upper: &Path) -> bool {
    let Some((_, rest)) = line.split_once(" - ") else { return false };
    let mut fields = rest.split(' ');
    let kind = fields.next();
    let wanted = format!("upperdir={}", escaped(upper));
    kind == Some("overlay")
        && fields.nth(1).is_some_and(|options| options.split(',').any(|one| one == wanted))
}

/// As the kernel writes paths there.
fn escaped(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    let text = bytes.iter().map(|&byte| match byte {
        b' ' | b'\t' | b'\n' | b'\\' => format!("\\{byte:03o}"),
        byte => char::from(byte).to_string(),
    });
    text.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overlay_is_known_by_its_writable_directory() {
        let line =
            "36 35 0:30 / /merged rw - overlay overlay rw,lowerdir=/l,upperdir=/c/web\\040a/upper,workdir=/w";
        assert!(is_overlay_of(line, Path::new("/c/web a/upper")));
        assert!(!is_overlay_of(line, Path::new("/c/web a/uppe")));
        assert!(!is_overlay_of(&line.replace("- overlay", "- ext4"), Path::new("/c/web a/upper")));
        assert!(!is_overlay_of("nonsense", Path::new("/")));
    }
}
