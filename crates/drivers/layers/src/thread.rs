//! Threads with a mount namespace of their own, in which what is mounted concerns nobody else.

use crate::error::at;
use crate::{LayerError, Result};
use rustix::fd::{BorrowedFd, OwnedFd};
use rustix::fs::{self, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::path::Path;

/// Waits for `work` on a thread of its own, which may end in another namespace than it began in.
pub(crate) fn on_a_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("mounts".to_owned()).spawn_scoped(scope, work);
        let thread = thread.map_err(|source| LayerError::Io {
            action: "start a thread for",
            path: "mounting".into(),
            source,
        })?;
        thread.join().map_err(|_| LayerError::Crashed)?
    })
}

/// Puts this thread into a copy of its mount namespace, and answers that.
pub(crate) fn leave_namespace() -> Result<OwnedFd> {
    let path = Path::new("/proc/thread-self/ns/mnt");
    sys::namespaces::unshare_thread_mounts().map_err(at("leave", path))?;
    fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).map_err(at("open", path))
}

/// Keeps what is mounted in this thread's namespace from the host's. An engine in a chroot finds itself outside of it
/// afterwards: everything must be open by then.
pub(crate) fn keep_to_itself(namespace: BorrowedFd<'_>) -> Result<()> {
    let private = || mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC);
    let made = private().or_else(|error| match error {
        // The root is a mere directory. Joining the namespace that we are in takes us to its own.
        Errno::INVAL => enter(namespace).and_then(|()| private()),
        error => Err(error),
    });
    made.map_err(|errno| LayerError::Io {
        action: "make private the mounts of",
        path: "/".into(),
        source: errno.into(),
    })
}

/// Makes this thread one of a view's namespace for good.
pub(crate) fn join(namespace: BorrowedFd<'_>) -> Result<()> {
    let failed = at::<std::io::Error>("enter", Path::new("the namespace of a view"));
    let joined = sys::namespaces::unshare_thread_directories().and_then(|()| Ok(enter(namespace)?));
    joined.map_err(failed)
}

/// Joins a mount namespace, at its root.
pub(crate) fn enter(namespace: BorrowedFd<'_>) -> Result<(), Errno> {
    move_into_link_name_space(namespace, Some(LinkNameSpaceType::Mount))
}
