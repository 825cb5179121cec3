//! Descriptors that the runtime waits for.

use std::io;
use std::os::fd::OwnedFd;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// Has the runtime wait until something can be read there.
#[expect(
    deprecated,
    reason = "its unsafe replacement asks for a descriptor that stays open: an OwnedFd does"
)]
pub(crate) fn watched(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(fd, Interest::READABLE)
}

/// The same for a socket that is also written to.
#[expect(
    deprecated,
    reason = "its unsafe replacement asks for a descriptor that stays open: an OwnedFd does"
)]
pub(crate) fn connected(fd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(fd, Interest::READABLE | Interest::WRITABLE)
}
