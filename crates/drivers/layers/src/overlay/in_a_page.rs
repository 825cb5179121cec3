//! Overlays before Linux 6.8, where all lower layers are one option.
//!
//! `fsconfig(2)` takes at most 255 bytes of it, which a handful of layers fills; `mount(2)` takes a page for all options. The
//! layers' names from the directory that all are in are so short that 128 of them fill a third of it. But `mount(2)` mounts
//! somewhere: here in a mount namespace of the calling thread's own, from which the mount is cloned and taken off again.

use super::Overlay;
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::mount::{MountFlags, OpenTreeFlags, UnmountFlags, mount, open_tree, unmount};
use std::ffi::CString;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Below the directory of layers, where nothing is ever mounted but in such a namespace.
const PLACE: &str = "tmp";

impl Overlay<'_> {
    /// On a thread with a mount namespace and a working directory of its own, which becomes `root`.
    pub(super) fn in_a_page(&self, root: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
        rustix::process::fchdir(root)?;
        let options = CString::new(self.options()).map_err(|_| Errno::INVAL)?;
        let mut flags = MountFlags::NOSUID | MountFlags::NODEV;
        flags.set(MountFlags::RDONLY, self.upper.is_none());
        mount("overlay", PLACE, "overlay", flags, Some(options.as_c_str()))?;
        let cloning = OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::OPEN_TREE_CLONE;
        let made = open_tree(CWD, PLACE, cloning);
        unmount(PLACE, UnmountFlags::DETACH)?;
        made
    }

    /// As `mount(8)` has them.
    fn options(&self) -> Vec<u8> {
        let layers: Vec<_> = self.lower.iter().map(|dir| self.escaped(dir, b"\\:,")).collect();
        let mut options = [&b"lowerdir="[..], &layers.join(&b':')].concat();
        for (name, value) in self.upper_options() {
            options.extend([b",", name.as_bytes(), b"="].concat());
            options.extend(self.escaped(value, b"\\,"));
        }
        options
    }

    /// The name from the directory of layers, with a backslash before each of these bytes.
    fn escaped(&self, path: &Path, special: &[u8]) -> Vec<u8> {
        let short = path.strip_prefix(self.root).unwrap_or(path).as_os_str().as_bytes();
        let escape = |&byte: &u8| special.contains(&byte).then_some(b'\\').into_iter().chain([byte]);
        short.iter().flat_map(escape).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::{self, on_a_thread};
    use rustix::fd::AsFd;
    use rustix::fs::{Mode, open};
    use std::fs::{create_dir_all, read_to_string, write};
    use std::os::fd::AsRawFd;
    use std::path::PathBuf;

    /// As many as an image may have.
    const LAYERS: usize = 128;

    /// Makes an overlay by this way alone, whatever the kernel.
    fn made(overlay: &Overlay<'_>) -> Result<OwnedFd, Errno> {
        on_a_thread(|| {
            let namespace = thread::leave_namespace()?;
            let root = open(overlay.root, super::super::ROOT, Mode::empty()).unwrap();
            thread::keep_to_itself(namespace.as_fd())?;
            Ok(overlay.in_a_page(root.as_fd()))
        })
        .unwrap()
    }

    #[test]
    fn a_page_holds_as_many_layers_as_an_image_may_have() {
        if !rustix::process::geteuid().is_root() {
            return eprintln!("skipped: needs root to mount");
        }
        // A name that would fill the page if it stood before each layer's.
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("a:b,c\\d".repeat(10));
        let layer = |number: usize| root.join(format!("l/{number:06}"));
        for number in 0..LAYERS {
            create_dir_all(layer(number)).unwrap();
            write(layer(number).join(format!("file{number}")), "x").unwrap();
            write(layer(number).join("all"), number.to_string()).unwrap();
        }
        let (upper, work) = (root.join("c/key/upper"), root.join("c/key/work"));
        [&upper, &work, &root.join(PLACE)].into_iter().for_each(|dir| create_dir_all(dir).unwrap());
        let lower: Vec<PathBuf> = (0..LAYERS).rev().map(layer).collect();
        let overlay = |upper| Overlay { root: &root, lower: &lower, upper };
        for (upper, writable) in [(None, false), (Some((upper.as_path(), work.as_path())), true)] {
            let root = made(&overlay(upper)).unwrap();
            let inside = PathBuf::from(format!("/proc/self/fd/{}", root.as_raw_fd()));
            let there = (0..LAYERS).filter(|number| inside.join(format!("file{number}")).exists());
            assert_eq!(there.count(), LAYERS);
            assert_eq!(read_to_string(inside.join("all")).unwrap(), (LAYERS - 1).to_string());
            assert_eq!(write(inside.join("new"), "x").is_ok(), writable);
        }
        assert_eq!(read_to_string(upper.join("new")).unwrap(), "x");
        let mounts = read_to_string("/proc/self/mountinfo").unwrap();
        assert!(!mounts.contains(dir.path().file_name().unwrap().to_str().unwrap()), "{mounts}");
    }
}
