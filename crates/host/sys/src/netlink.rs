//! Netlink sockets with the options that no safe wrapper sets.

use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

/// Opens an rtnetlink socket in the calling thread's network namespace, where it stays.
///
/// Answers to failed requests carry the kernel's own words (`NETLINK_EXT_ACK`) and not the request's body
/// (`NETLINK_CAP_ACK`); dumps are filtered by what the request says (`NETLINK_GET_STRICT_CHK`).
///
/// # Errors
/// Those of `socket(2)` and `setsockopt(2)`.
pub fn open_route() -> io::Result<OwnedFd> {
    let fd = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)?;
    for option in [libc::NETLINK_EXT_ACK, libc::NETLINK_CAP_ACK, libc::NETLINK_GET_STRICT_CHK] {
        switch_on(&fd, option)?;
    }
    Ok(fd)
}

/// Opens a socket to the packet filter in the calling thread's network namespace, where it stays.
///
/// Answers to failed requests carry the kernel's own words and not the request's body.
///
/// # Errors
/// Those of `socket(2)` and `setsockopt(2)`; `EPROTONOSUPPORT` for a kernel without nfnetlink.
pub fn open_netfilter() -> io::Result<OwnedFd> {
    let protocol = Some(rustix::net::netlink::NETFILTER);
    let fd =
        rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol)?;
    for option in [libc::NETLINK_EXT_ACK, libc::NETLINK_CAP_ACK] {
        switch_on(&fd, option)?;
    }
    Ok(fd)
}

fn switch_on(fd: &OwnedFd, option: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    let size = libc::socklen_t::try_from(size_of_val(&on)).expect("the size of an int fits");
    // SAFETY: the pointer and the size describe `on`, which outlives the call; the kernel only reads it.
    let result =
        unsafe { libc::setsockopt(fd.as_raw_fd(), libc::SOL_NETLINK, option, (&raw const on).cast(), size) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
