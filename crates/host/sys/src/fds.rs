//! File descriptors that come from, or went to, code which counts them as plain numbers.

use crate::thread::SingleThread;
use std::collections::BTreeSet;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

/// Takes an inherited descriptor, checked to be open and to be taken once, and makes it close on exec.
///
/// To be called before this process opens anything that could get that number.
///
/// # Errors
/// `EBADF` when nothing is open under that number, `EBUSY` when it was taken before.
pub fn inherit(fd: RawFd) -> io::Result<OwnedFd> {
    static TAKEN: Mutex<BTreeSet<RawFd>> = Mutex::new(BTreeSet::new());
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    if taken.contains(&fd) {
        return Err(io::Error::from_raw_os_error(libc::EBUSY));
    }
    // SAFETY: F_SETFD changes a flag of a number and touches no memory.
    if unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) } == -1 {
        return Err(io::Error::last_os_error());
    }
    taken.insert(fd);
    // SAFETY: it is open, was not taken before, and by the documented condition nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Closes every descriptor from `first` on: what a parent forgot to mark close-on-exec.
///
/// To be called at the start of `main`, before this process has opened anything.
pub fn close_from(first: u32, _alone: SingleThread) {
    // SAFETY: no other thread uses them, and by the documented condition no owner in this process holds one of these numbers.
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
/// Only where nothing opened since `before` is owned by a living value.
///
/// # Errors
/// When `/proc/self/fd` can't be read.
pub fn close_others(before: &[RawFd], _alone: SingleThread) -> io::Result<usize> {
    let leaked: Vec<_> = open_now()?.into_iter().filter(|fd| !before.contains(fd)).collect();
    for &fd in &leaked {
        // SAFETY: no other thread opened it since, and by the documented condition no living value owns it.
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
    fn a_number_is_taken_once() {
        let fd = std::fs::File::open("/dev/null").unwrap().into_raw_fd();
        let _owned = inherit(fd).unwrap();
        assert_eq!(inherit(fd).unwrap_err().raw_os_error(), Some(libc::EBUSY));
    }

    /// Nothing else runs in this process: nextest gives each test its own.
    #[test]
    fn a_leak_is_found_and_closed() {
        let before = open_now().unwrap();
        let leaked = std::fs::File::open("/dev/null").unwrap().into_raw_fd();
        assert!(!before.contains(&leaked));
        assert_eq!(close_others(&before, SingleThread::forged()).unwrap(), 1);
        assert!(!is_open(leaked));
    }
}
