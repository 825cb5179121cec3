//! Network namespaces of single threads.

use rustix::thread::UnshareFlags;
use std::io;

/// Puts the calling thread, and no other, into a new network namespace.
///
/// # Errors
/// Those of `unshare(2)`: `EPERM` without `CAP_SYS_ADMIN`, `ENOSPC` beyond `user.max_net_namespaces`.
pub fn unshare() -> io::Result<()> {
    // SAFETY: `CLONE_NEWNET` leaves the descriptor table, the memory and the signal handlers shared as they are, so
    // nothing that safe code relies upon changes; only what sockets opened from now on by this thread belong to.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }?;
    Ok(())
}
