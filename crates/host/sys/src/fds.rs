//! File descriptors that come from, or went to, code which counts them as plain numbers.

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

/// Takes an inherited descriptor, checked to be open, and makes it close on exec.
///
/// # Errors
/// `EBADF` when nothing is open under that number.
///
/// It must be called once for a number, before anything else in this process can own it.
pub fn inherit(fd: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: F_SETFD changes a flag of a number and touches no memory.
    if unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is open, and by the documented condition nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Closes every descriptor from `first` on: what a parent forgot to mark close-on-exec.
///
/// To be called at the start of `main`, before this process has opened anything.
pub fn close_from(first: u32) {
    // SAFETY: by the documented condition no owner in this process holds one of these numbers.
    unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) };
}

/// The numbers that are open now, without the one used to find out.
///
/// # Errors
/// When `/proc/self/fd` can't be read.
pub fn open_now() -> io::Result<Vec<RawFd>> {
    let directory = std::fs::read_dir("/proc/self/fd")?;
    let mut open = Vec::new();
    for entry in directory {
        if let Some(fd) = entry?.file_name().to_str().and_then(|name| name.parse().ok()) {
            open.push(fd);
        }
    }
    // The directory's own number is closed by now: reading it again tells.
    open.retain(|&fd| is_open(fd));
    Ok(open)
}

/// Closes what is open now and not in `before`: the leak of a foreign function that failed half way.
///
/// Only for a program with one thread, and only where nothing opened since `before` is owned by a living value.
///
/// # Errors
/// When `/proc/self/fd` can't be read.
pub fn close_others(before: &[RawFd]) -> io::Result<usize> {
    let leaked: Vec<_> = open_now()?.into_iter().filter(|fd| !before.contains(fd)).collect();
    for &fd in &leaked {
        // SAFETY: by the documented condition no living value owns it.
        unsafe { libc::close(fd) };
    }
    Ok(leaked.len())
}

/// Closes these numbers in a process that was cloned and is about to execute a program.
///
/// Only there: values of this process may own them, and none of those may be used or dropped any more.
pub fn close_in_child(numbers: &[RawFd]) {
    for &fd in numbers {
        // SAFETY: by the documented condition no owner will use it again.
        unsafe { libc::close(fd) };
    }
}

fn is_open(fd: RawFd) -> bool {
    // SAFETY: F_GETFD reads a flag of a number and touches no memory.
    unsafe { libc::fcntl(fd, libc::F_GETFD) != -1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::IntoRawFd;

    #[test]
    fn a_leak_is_found_and_closed() {
        let before = open_now().unwrap();
        let leaked = std::fs::File::open("/dev/null").unwrap().into_raw_fd();
        assert!(!before.contains(&leaked));
        assert_eq!(close_others(&before).unwrap(), 1);
        assert!(!is_open(leaked));
    }
}
