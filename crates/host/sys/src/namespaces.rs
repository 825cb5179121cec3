//! Leaving namespaces.

use std::io;

/// Gives this process a mount namespace of its own, a copy of the present one. For a program with one thread: another
/// would stay in the old namespace.
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`.
pub fn unshare_mounts() -> io::Result<()> {
    unshare(libc::CLONE_NEWNS)
}

/// Gives this process a user namespace of its own, in which it has every capability and nobody an id yet, and a network
/// namespace that belongs to it. For a program with one thread.
///
/// # Errors
/// `EINVAL` with more threads; `ENOSPC` beyond `user.max_user_namespaces`; `EPERM` where the host allows none.
pub fn unshare_user_and_network() -> io::Result<()> {
    unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET)
}

fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: descriptors stay shared, so no owner of one is affected; nothing refers to memory.
    match unsafe { libc::unshare(flags) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Gives the calling thread a root and a working directory of its own, as `setns(2)` wants it of who joins a mount
/// namespace.
///
/// # Errors
/// `ENOMEM`.
pub fn unshare_thread_directories() -> io::Result<()> {
    unshare(libc::CLONE_FS)
}

/// Puts the calling thread, and no other, into a copy of its mount namespace. Its root and working directory become its
/// own too. For a thread that ends afterwards: nothing takes it back.
///
/// # Errors
/// `EPERM` without `CAP_SYS_ADMIN`, `ENOSPC` beyond `user.max_mnt_namespaces`.
pub fn unshare_thread_mounts() -> io::Result<()> {
    unshare(libc::CLONE_NEWNS | libc::CLONE_FS)
}
