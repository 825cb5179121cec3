//! Deleting a tree that strangers filled: never through a symbolic link, never across a mount.
//!
//! Everything happens relative to directory handles, so that nobody can swap a directory for a link between a look
//! and a deletion. Depth costs neither stack nor handles without bound: what lies deeper than [`DEEP`] levels is
//! moved up to the root of the tree first.

use crate::{Result, at};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, ResolveFlags};
use rustix::io::Errno;
use std::ffi::{CStr, OsStr};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Levels that are descended before a directory is moved up.
const DEEP: usize = 64;
/// Leftovers that are listed; more are only counted by the deletion of their parents failing.
const LISTED: usize = 64;
/// How often a directory is read again because something new appeared in it.
const PASSES: usize = 8;

/// Something that could not be deleted, and why: a mount, an immutable file.
#[derive(Debug)]
pub struct Leftover {
    /// What stays.
    pub path: PathBuf,
    /// The kernel's reason.
    pub error: io::Error,
}

/// Deletes `path` and everything below it as far as possible, and lists what had to stay.
///
/// What does not exist is no error; `path` itself may be anything, a link is removed and not followed.
///
/// # Errors
/// Only if the directory that holds `path` cannot be opened.
pub fn remove_tree(path: &Path) -> Result<Vec<Leftover>> {
    remove_shared(path, &AtomicBool::new(false), &|_, _| false)
}

/// As [`remove_tree`], but gives up between two deletions once `stop` is set, and offers each directory below `path`
/// to `share`, which answers whether somebody else removes it.
pub(crate) fn remove_shared(path: &Path, stop: &AtomicBool, share: &Share<'_>) -> Result<Vec<Leftover>> {
    let Some(name) = path.file_name() else {
        return Err(at("remove", path)(io::Error::from(io::ErrorKind::InvalidInput)));
    };
    let holder =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let holder = match rustix::fs::openat(CWD, holder, flags, Mode::empty()) {
        Ok(holder) => holder,
        Err(Errno::NOENT) => return Ok(Vec::new()),
        Err(error) => return Err(at("open", holder)(error)),
    };
    let mut removal = Removal { path: path.to_owned(), leftovers: Vec::new(), moved: 0, stop, share };
    removal.entry(holder.as_fd(), name, FileType::Unknown, None, 0);
    Ok(removal.leftovers)
}

/// Takes over the directory of this name in this directory, or does not.
pub(crate) type Share<'a> = dyn Fn(BorrowedFd<'_>, &OsStr) -> bool + 'a;

struct Removal<'a> {
    /// Where we are, for reports.
    path: PathBuf,
    leftovers: Vec<Leftover>,
    /// Directories moved up so far; makes their new names unique.
    moved: usize,
    stop: &'a AtomicBool,
    share: &'a Share<'a>,
}

impl Removal<'_> {
    /// Removes one name in `parent`. `root` is the directory to which deep ones are moved.
    fn entry(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        kind: FileType,
        root: Option<BorrowedFd<'_>>,
        depth: usize,
    ) {
        if kind != FileType::Directory {
            match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => return,
                Err(Errno::ISDIR) => {}
                Err(error) => return self.left(error),
            }
        }
        match root {
            Some(_) if (self.share)(parent, name) => {}
            Some(root) if depth >= DEEP => self.move_up(parent, name, root),
            _ => self.directory(parent, name, root, depth),
        }
    }

    fn move_up(&mut self, parent: BorrowedFd<'_>, name: &OsStr, root: BorrowedFd<'_>) {
        loop {
            self.moved += 1;
            let up = format!(".deep-{}", self.moved);
            match rustix::fs::renameat_with(parent, name, root, up, rustix::fs::RenameFlags::NOREPLACE) {
                Ok(()) | Err(Errno::NOENT) => return,
                Err(Errno::EXIST) => {}
                Err(error) => return self.left(error),
            }
        }
    }

    fn directory(
        &mut self,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        root: Option<BorrowedFd<'_>>,
        depth: usize,
    ) {
        let directory = match open_directory(parent, name) {
            Ok(directory) => directory,
            Err(Errno::NOENT) => return,
            Err(error) => return self.left(error),
        };
        for pass in 1.. {
            let (moved, left) = (self.moved, self.leftovers.len());
            self.content(&directory, root.unwrap_or_else(|| directory.as_fd()), depth);
            match rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR) {
                Ok(()) | Err(Errno::NOENT) => return,
                // What is inside has been reported already.
                Err(Errno::NOTEMPTY) if self.leftovers.len() > left => return,
                // Deep directories have come up, or somebody goes on filling it.
                Err(Errno::NOTEMPTY) if !self.stopped() && (self.moved > moved || pass < PASSES) => {}
                Err(error) => return self.left(error),
            }
        }
    }

    fn content(&mut self, directory: &OwnedFd, root: BorrowedFd<'_>, depth: usize) {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        if let Err(error) = rustix::fs::seek(directory, rustix::fs::SeekFrom::Start(0)) {
            return self.left(error);
        }
        let mut entries = RawDir::new(directory, &mut buffer);
        while let Some(entry) = entries.next() {
            if self.stopped() {
                return;
            }
            match entry {
                Ok(entry) if is_self_or_parent(entry.file_name()) => {}
                Ok(entry) => {
                    let name = OsStr::from_bytes(entry.file_name().to_bytes());
                    self.path.push(name);
                    self.entry(directory.as_fd(), name, entry.file_type(), Some(root), depth + 1);
                    self.path.pop();
                }
                Err(error) => return self.left(error),
            }
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn left(&mut self, error: Errno) {
        if self.leftovers.len() < LISTED {
            self.leftovers.push(Leftover { path: self.path.clone(), error: error.into() });
        }
    }
}

/// Opens a directory itself: neither the target of a link nor what is mounted on it (`EXDEV`).
fn open_directory(parent: BorrowedFd<'_>, name: &OsStr) -> Result<OwnedFd, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let resolve = ResolveFlags::NO_XDEV | ResolveFlags::NO_SYMLINKS | ResolveFlags::BENEATH;
    match rustix::fs::openat2(parent, name, flags, Mode::empty(), resolve) {
        // A mount on it is what keeps it busy; say that rather than "cross-device link".
        Err(Errno::XDEV) => Err(Errno::BUSY),
        other => other,
    }
}

fn is_self_or_parent(name: &CStr) -> bool {
    matches!(name.to_bytes(), b"." | b"..")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::process::Command;

    fn skip(what: &str) {
        io::Write::write_all(&mut io::stderr(), format!("skipped: {what}\n").as_bytes()).unwrap();
    }

    #[test]
    fn links_are_removed_and_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (kept, tree) = (dir.path().join("kept"), dir.path().join("tree"));
        std::fs::create_dir_all(kept.join("sub")).unwrap();
        std::fs::write(kept.join("sub/file"), b"precious").unwrap();
        std::fs::create_dir_all(tree.join("a/b")).unwrap();
        std::fs::write(tree.join("a/b/file"), b"").unwrap();
        symlink(&kept, tree.join("a/link")).unwrap();
        symlink(&kept, tree.join("link")).unwrap();
        assert!(remove_tree(&tree).unwrap().is_empty());
        assert!(!tree.exists());
        assert_eq!(std::fs::read(kept.join("sub/file")).unwrap(), b"precious");
        symlink(&kept, &tree).unwrap();
        assert!(remove_tree(&tree).unwrap().is_empty());
        assert!(kept.join("sub/file").exists() && tree.symlink_metadata().is_err());
        assert!(remove_tree(&dir.path().join("absent")).unwrap().is_empty());
        assert!(remove_tree(&dir.path().join("absent/below")).unwrap().is_empty());
    }

    #[test]
    fn depth_and_width_are_no_limits() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        std::fs::create_dir(tree.join(".deep-1")).unwrap();
        std::fs::write(tree.join(".deep-1/file"), b"a stranger's").unwrap();
        let mut at = OwnedFd::from(std::fs::File::open(&tree).unwrap());
        for _ in 0..3000 {
            rustix::fs::mkdirat(&at, "a-directory-with-a-long-name", Mode::RWXU).unwrap();
            at = open_directory(at.as_fd(), OsStr::new("a-directory-with-a-long-name")).unwrap();
        }
        (0..2000).for_each(|number| std::fs::write(tree.join(format!("file-{number}")), b"").unwrap());
        let left = remove_tree(&tree).unwrap();
        assert!(left.is_empty(), "{left:?}");
        assert!(!tree.exists());
    }

    #[test]
    fn a_mount_inside_is_reported_and_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (kept, mount) = (dir.path().join("kept"), dir.path().join("tree/a/mount"));
        std::fs::create_dir_all(&kept).unwrap();
        std::fs::create_dir_all(&mount).unwrap();
        std::fs::write(kept.join("file"), b"precious").unwrap();
        std::fs::write(dir.path().join("tree/a/other"), b"").unwrap();
        if rustix::mount::mount_bind(&kept, &mount).is_err() {
            return skip("mounting needs root");
        }
        let left = remove_tree(&dir.path().join("tree")).unwrap();
        rustix::mount::unmount(&mount, rustix::mount::UnmountFlags::DETACH).unwrap();
        assert_eq!(left.len(), 1, "{left:?}");
        assert_eq!(left[0].path, mount);
        assert_eq!(left[0].error.raw_os_error(), Some(Errno::BUSY.raw_os_error()));
        assert!(kept.join("file").exists());
        assert!(!dir.path().join("tree/a/other").exists());
        assert!(remove_tree(&dir.path().join("tree")).unwrap().is_empty());
    }

    #[test]
    fn an_immutable_file_is_reported() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tree/immutable");
        std::fs::create_dir(dir.path().join("tree")).unwrap();
        std::fs::write(&file, b"").unwrap();
        if !Command::new("chattr").arg("+i").arg(&file).status().is_ok_and(|status| status.success()) {
            return skip("chattr +i needs root and a file system that has it");
        }
        let left = remove_tree(&dir.path().join("tree")).unwrap();
        assert!(Command::new("chattr").arg("-i").arg(&file).status().unwrap().success());
        assert_eq!(left.iter().map(|left| &left.path).collect::<Vec<_>>(), [&file]);
    }
}
