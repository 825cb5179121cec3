//! How much the kernel favours a thread.

use std::io;

/// Makes the calling thread yield to everything else: nice 19 for the processor, the idle class for the disk.
///
/// Threads that it starts later inherit both. There is no way back without a privilege.
///
/// # Errors
/// The kernel's, when a sandbox forbids the calls; nothing else can fail.
pub fn background_thread() -> io::Result<()> {
    const IOPRIO_WHO_PROCESS: libc::c_int = 1;
    const IOPRIO_CLASS_IDLE: libc::c_int = 3;
    const IOPRIO_CLASS_SHIFT: libc::c_int = 13;
    // On Linux the number names a thread here, and none means the calling one.
    rustix::process::setpriority_process(None, 19)?;
    // SAFETY: the call takes three numbers and touches no memory of ours.
    let result = unsafe {
        libc::syscall(libc::SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_CLASS_IDLE << IOPRIO_CLASS_SHIFT)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_the_calling_thread_steps_back() {
        let inner = std::thread::spawn(|| {
            super::background_thread().unwrap();
            rustix::process::getpriority_process(None).unwrap()
        });
        assert_eq!(inner.join().unwrap(), 19);
        assert_ne!(rustix::process::getpriority_process(None).unwrap(), 19);
    }
}
