//! The kernel's key retention service, as far as keeping out of it goes.

use std::io;

/// Leaves the session keyring for a new, empty one, so that what this process starts finds no keys of who started it.
///
/// # Errors
/// `ENOSYS` for a kernel without keys, `EDQUOT` for a user with too many.
pub fn join_new_session() -> io::Result<()> {
    const JOIN_SESSION_KEYRING: libc::c_int = 1;
    // SAFETY: the null name asks for an anonymous keyring; no memory is passed.
    match unsafe { libc::syscall(libc::SYS_keyctl, JOIN_SESSION_KEYRING, std::ptr::null::<libc::c_char>()) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
