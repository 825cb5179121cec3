//! What `mount_setattr(2)` can do and no safe library wraps.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Lets a mount that is not attached anywhere yet show each file as belonging to whom the user namespace maps its owner
/// to. Linux 5.12, on file systems that can.
///
/// # Errors
/// `EINVAL` where the file system cannot, or the mount is attached or mapped already; `ENOSYS` before Linux 5.12.
pub fn map_ids(mount: BorrowedFd<'_>, user_namespace: BorrowedFd<'_>) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: libc::MOUNT_ATTR_IDMAP,
        attr_clr: 0,
        propagation: 0,
        userns_fd: u64::from(user_namespace.as_raw_fd().cast_unsigned()),
    };
    // SAFETY: the path is empty and ends with a zero byte, and the structure, whose size is given, outlives the call;
    // the kernel reads both and writes to neither.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
