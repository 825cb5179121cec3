//! Leaving namespaces.

use std::io;

/// Gives this process a mount namespace of its own, a copy of the present one. For a program with one thread: another
/// would stay in the old namespace.
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`.
pub fn unshare_mounts() -> io::Result<()> {
    // SAFETY: descriptors stay shared, so no owner of one is affected; nothing refers to memory.
    match unsafe { libc::unshare(libc::CLONE_NEWNS) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
