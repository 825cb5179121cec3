//! Signals of a program with one thread: taken through a descriptor, ignored without the children inheriting it.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd};

/// Makes signals harmless for this process, and for it alone: unlike with `SIG_IGN`, what it executes later starts
/// with the default action.
///
/// # Errors
/// For numbers that can't be caught.
pub fn disregard(signals: &[i32]) -> io::Result<()> {
    extern "C" fn nothing(_: libc::c_int) {}
    for &signal in signals {
        // SAFETY: the handler does nothing, so it is safe in any context; the structure is zeroed as a valid start.
        let done = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = nothing as *const () as libc::sighandler_t;
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal, &action, std::ptr::null_mut())
        };
        if done == -1 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}

/// A non-blocking `signalfd(2)`; the signals are blocked in this thread from now on.
///
/// # Errors
/// For numbers that are none, or without a free descriptor.
pub fn descriptor(signals: &[i32]) -> io::Result<OwnedFd> {
    let set = set_of(signals);
    // SAFETY: the set is initialised; the old mask is not asked for.
    if unsafe { libc::sigprocmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) } == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the set is initialised, and a new descriptor is asked for.
    let fd = unsafe { libc::signalfd(-1, &set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) };
    if fd == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel has just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Has the program start as [`restore_defaults`] says, whatever this process blocks: the standard library lets a child
/// inherit the mask.
pub fn fresh(command: &mut std::process::Command) {
    use std::os::unix::process::CommandExt;
    let restore = || {
        restore_defaults();
        Ok(())
    };
    // SAFETY: between fork and exec it does system calls only, and allocates nothing.
    unsafe { command.pre_exec(restore) };
}

/// What a fresh program expects: every signal at its default action and none blocked. For a child about to execute.
pub fn restore_defaults() {
    // The kernel's structure, with the default action, no flags and no mask; the C library keeps two signals to itself.
    let default = [0_u64; 8];
    for signal in 1..=64 {
        // SAFETY: the kernel reads the structure, which is no longer than this; SIG_DFL runs no code of ours, and
        // numbers that can't be changed are refused without harm.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), std::ptr::null::<u8>(), 8) };
    }
    let none = set_of(&[]);
    // SAFETY: the set is initialised; the old mask is not asked for.
    unsafe { libc::sigprocmask(libc::SIG_SETMASK, &none, std::ptr::null_mut()) };
}

/// Sends any signal number, also a real-time one, to a process.
///
/// # Errors
/// `ESRCH`, `EPERM`, and `EINVAL` for a number that is no signal.
pub fn send(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: it passes two numbers to the kernel.
    match unsafe { libc::kill(pid, signal) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn set_of(signals: &[i32]) -> libc::sigset_t {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: sigemptyset initialises the set; sigaddset refuses numbers that are no signals.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for &signal in signals {
            libc::sigaddset(set.as_mut_ptr(), signal);
        }
        set.assume_init()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_that_does_not_exist_is_refused() {
        assert_eq!(disregard(&[1000]).unwrap_err().raw_os_error(), Some(libc::EINVAL));
        assert_eq!(send(0, 1000).unwrap_err().raw_os_error(), Some(libc::EINVAL));
    }
}
