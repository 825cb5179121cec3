//! A moment in another network namespace.

use crate::error::{Error, Result};
use rustix::fs::{Mode, OFlags};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The namespace that this process lives in.
#[derive(Debug)]
pub(super) struct Home(OwnedFd);

impl Home {
    /// The calling thread's.
    pub(super) fn here() -> Result<Self> {
        let path = "/proc/thread-self/ns/net";
        rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
            .map(Self)
            .map_err(|error| Error::Start { action: "open the network namespace", source: error.into() })
    }

    /// Does something in another namespace, on this thread: entering and leaving cost microseconds, a thread for it ten times
    /// that. What is opened there stays there.
    pub(super) fn visit<T>(&self, there: BorrowedFd<'_>, act: impl FnOnce() -> T) -> io::Result<T> {
        let network = Some(LinkNameSpaceType::Network);
        move_into_link_name_space(there, network)?;
        let _return = Return(self.0.as_fd());
        Ok(act())
    }
}

/// Goes home, also out of a panic.
struct Return<'a>(BorrowedFd<'a>);

impl Drop for Return<'_> {
    fn drop(&mut self) {
        if move_into_link_name_space(self.0, Some(LinkNameSpaceType::Network)).is_err() {
            // Whatever this thread opened next would be the container's.
            std::process::abort();
        }
    }
}
