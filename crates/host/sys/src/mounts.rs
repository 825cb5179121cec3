//! What `mount_setattr(2)` can do and no safe library wraps.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

/// Lets a mount that is not attached anywhere yet show each file as belonging to whom the user namespace maps its owner
/// to. Linux 5.12, on file systems that can.
///
/// # Errors
/// `EINVAL` where the file system cannot, or the mount is attached or mapped already; `ENOSYS` before Linux 5.12.
pub fn map_ids(mount: BorrowedFd<'_>, user_namespace: BorrowedFd<'_>) -> io::Result<()> {
    let namespace = u64::from(user_namespace.as_raw_fd().cast_unsigned());
    set_attributes(mount, libc::MOUNT_ATTR_IDMAP, namespace, 0)
}

/// Takes from a mount, and from all below it, what nobody needs who only moves files: opening devices, executing,
/// and, if it is to be `read_only`, writing. Linux 5.12.
///
/// # Errors
/// `ENOSYS` before Linux 5.12.
pub fn restrict(mount: BorrowedFd<'_>, read_only: bool) -> io::Result<()> {
    let always = libc::MOUNT_ATTR_NODEV | libc::MOUNT_ATTR_NOEXEC | libc::MOUNT_ATTR_NOSUID;
    let attributes = if read_only { always | libc::MOUNT_ATTR_RDONLY } else { always };
    set_attributes(mount, attributes, 0, libc::AT_RECURSIVE)
}

fn set_attributes(
    mount: BorrowedFd<'_>,
    attributes: u64,
    user_namespace: u64,
    flags: libc::c_int,
) -> io::Result<()> {
    let attributes =
        libc::mount_attr { attr_set: attributes, attr_clr: 0, propagation: 0, userns_fd: user_namespace };
    // SAFETY: the path is empty and ends with a zero byte, and the structure, whose size is given, outlives the call;
    // the kernel reads both and writes to neither.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | flags,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
