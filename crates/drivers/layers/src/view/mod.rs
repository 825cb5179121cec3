//! A container's files as its processes see them, for whoever copies files in and out: the root file system with volumes
//! and bind mounts in their places.
//!
//! It is put together anew from what the engine knows, in a mount namespace that nobody else is in. So it is the same
//! whether the container runs or not, and nothing that a container has mounted by itself is in it. Everything below
//! [`View::root`] is reached with `RESOLVE_IN_ROOT`.

mod binds;
mod process;
mod writable;

pub use binds::ViewMount;

use crate::error::at;
use crate::thread::{self, on_a_thread};
use crate::unpack::extract;
use crate::{Contents, Extract, Layers, Result};
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{self, Mode, OFlags, ResolveFlags};
use rustix::mount::{MoveMountFlags, move_mount};
use std::io::BufRead;
use std::path::Path;

/// A container's files. They stay mounted as long as this lives.
#[derive(Debug)]
pub struct View {
    root: OwnedFd,
    /// Without a process in it the namespace lives by this.
    namespace: OwnedFd,
}

impl View {
    /// The root directory.
    pub fn root(&self) -> BorrowedFd<'_> {
        self.root.as_fd()
    }

    /// Extracts `input`, plain or compressed, into the directory `path`, which must be there. What was extracted before an
    /// error stays. Starts a thread, and waits for it.
    ///
    /// # Errors
    /// [`crate::LayerError::Archive`], [`crate::LayerError::Refused`], [`crate::LayerError::OtherKind`] for the archive's own,
    /// [`crate::LayerError::Unpack`] where the host fails.
    pub fn extract(&self, path: &Path, input: impl BufRead + Send, how: Extract) -> Result<Contents> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory =
            fs::openat2(&self.root, path, flags, Mode::empty(), resolve).map_err(at("open", path))?;
        let root = self.root.try_clone().map_err(at("open", path))?;
        self.inside(|| extract(input, root, directory, path, how))
    }

    /// Runs `work` on a thread in the namespace of the view. Only there the kernel knows what is mounted in it, and refuses to
    /// delete what it is mounted upon: elsewhere a deletion would take a container's mounts away.
    fn inside<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        on_a_thread(|| {
            thread::join(self.namespace.as_fd())?;
            work()
        })
    }
}

/// Where the root file system of a view comes from.
#[derive(Debug, Clone, Copy)]
pub enum ViewRoot<'a> {
    /// A read-only copy of what the snapshot has now. May be had at any time.
    ReadOnly,
    /// The snapshot itself. Nobody else may have it mounted. `user`: the user namespace of a container with ids of its
    /// own.
    Writable {
        /// As a descriptor.
        user: Option<BorrowedFd<'a>>,
    },
    /// The snapshot as the container's first process has it.
    Process {
        /// Its id, as this process sees it.
        pid: u32,
        /// Whether something is to be written.
        writable: bool,
    },
}

impl Layers {
    /// The files of the container `key` with these mounts in them. Starts a thread, and waits for it.
    ///
    /// # Errors
    /// [`crate::LayerError::NoMountPoint`] if the root is read-only and lacks the place for a mount;
    /// [`crate::LayerError::ForeignRoot`] if the process has another root file system than the snapshot.
    pub fn view(&self, key: &str, root: ViewRoot<'_>, mounts: &[ViewMount]) -> Result<View> {
        on_a_thread(|| self.put_together(key, root, mounts))
    }

    /// On a thread of its own.
    fn put_together(&self, key: &str, root: ViewRoot<'_>, mounts: &[ViewMount]) -> Result<View> {
        let namespace = thread::leave_namespace()?;
        let stage = self.staging_dir();
        let place = fs::open(&stage, PLACE, Mode::empty()).map_err(at("open", &stage))?;
        let sources = binds::open_sources(mounts)?;
        let (made, writable) = match root {
            ViewRoot::ReadOnly => {
                let mut stack = vec![self.snapshot_dir(key)?.join("upper")];
                stack.extend(self.stack(key)?);
                (self.read_only(&stack)?, false)
            }
            ViewRoot::Writable { user: None } => (self.writable(key)?, true),
            ViewRoot::Process { pid, writable } => (process::clone_root(pid, namespace.as_fd())?, writable),
            ViewRoot::Writable { user: Some(user) } => {
                (self.writable_mapped(key, user, place.as_fd(), namespace.as_fd())?, true)
            }
        };
        thread::keep_to_itself(namespace.as_fd())?;
        sys::mounts::restrict(made.as_fd(), !writable).map_err(at("restrict", &stage))?;
        let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
        move_mount(&made, "", &place, "", flags).map_err(at("mount a container's files on", &stage))?;
        if let ViewRoot::Process { .. } = root {
            process::check(made.as_fd(), &self.snapshot_dir(key)?.join("upper"))?;
        }
        let owner = self.ids(key)?.map_or((0, 0), |ids| ids.root());
        for (mount, source) in mounts.iter().zip(&sources) {
            binds::attach(made.as_fd(), mount, source.as_fd(), writable.then_some(owner))?;
        }
        Ok(View { root: made, namespace })
    }
}

const PLACE: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
