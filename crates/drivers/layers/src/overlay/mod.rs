//! Overlays that are mounted nowhere: they go with their descriptor.

mod in_a_page;

use crate::thread::{self, on_a_thread};
use crate::{LayerError, Result};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{self, FsMountFlags, FsOpenFlags, MountAttrFlags};
use std::path::{Path, PathBuf};

/// Hard links and renamed directories that the kernel may track across layers, and copies of attributes alone: off, so that the upper
/// directory means the same on every kernel and says by itself what a container changed.
pub(crate) const OPTIONS: &[&str] = &["index=off", "redirect_dir=off", "metacopy=off"];

/// An overlay to be made.
#[derive(Debug)]
pub(crate) struct Overlay<'a> {
    /// The directory of all layers and snapshots.
    pub(crate) root: &'a Path,
    /// Topmost first.
    pub(crate) lower: &'a [PathBuf],
    /// The upper directory and the kernel's working directory; none: nothing can be written.
    pub(crate) upper: Option<(&'a Path, &'a Path)>,
}

impl Overlay<'_> {
    /// Made of directories that everybody sees. May start a thread, and waits for it.
    pub(crate) fn detached(&self) -> Result<OwnedFd> {
        if knows_single_layers() {
            return self.layer_by_layer().map_err(|errno| self.failed(errno));
        }
        on_a_thread(|| {
            let namespace = thread::leave_namespace()?;
            let root = fs::open(self.root, ROOT, Mode::empty()).map_err(|errno| self.failed(errno))?;
            thread::keep_to_itself(namespace.as_fd())?;
            self.in_a_page(root.as_fd()).map_err(|errno| self.failed(errno))
        })
    }

    /// Made on a thread that has a private mount namespace, of what only that namespace has. `root`: [`Overlay::root`],
    /// for an engine in a chroot has left it there. May change the thread's working directory.
    pub(crate) fn detached_here(&self, root: BorrowedFd<'_>) -> Result<OwnedFd> {
        let made = if knows_single_layers() { self.layer_by_layer() } else { self.in_a_page(root) };
        made.map_err(|errno| self.failed(errno))
    }

    fn failed(&self, errno: Errno) -> LayerError {
        let path = self.upper.map_or(self.root, |(upper, _)| upper).to_owned();
        LayerError::Mount { path, source: errno.into() }
    }

    /// With an option for each layer: since Linux 6.8.
    fn layer_by_layer(&self) -> Result<OwnedFd, Errno> {
        let context = mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
        for dir in self.lower {
            mount::fsconfig_set_string(context.as_fd(), "lowerdir+", dir)?;
        }
        for (name, value) in self.upper_options() {
            mount::fsconfig_set_string(context.as_fd(), name, value)?;
        }
        mount::fsconfig_create(context.as_fd())?;
        mount::fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, self.attributes())
    }

    /// All but the layers.
    fn upper_options(&self) -> Vec<(&str, &Path)> {
        let Some((upper, work)) = self.upper else { return Vec::new() };
        let own = OPTIONS.iter().filter_map(|option| option.split_once('='));
        let own = own.map(|(name, value)| (name, Path::new(value)));
        [("upperdir", upper), ("workdir", work)].into_iter().chain(own).collect()
    }

    fn attributes(&self) -> MountAttrFlags {
        let always = MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_NODEV;
        if self.upper.is_some() { always } else { always | MountAttrFlags::MOUNT_ATTR_RDONLY }
    }
}

/// Asked by number: a kernel that does not says so in its log each time, and before 6.5 only in the end.
fn knows_single_layers() -> bool {
    sys::kernel::is_at_least(6, 8)
}

const ROOT: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
