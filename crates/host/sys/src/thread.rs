//! Whether this process has threads.

use std::io;
use std::marker::PhantomData;

/// Says that the thread that holds it is the only one of its process. It can't be sent to another; what can still make
/// it untrue is a thread that is begun while it is held, so it is got where it is used.
#[derive(Debug, Clone, Copy)]
pub struct SingleThread(PhantomData<*const ()>);

impl SingleThread {
    /// Counts the threads.
    ///
    /// # Errors
    /// `EBUSY` when there are others; when `/proc/self/task` can't be read.
    pub fn check() -> io::Result<Self> {
        match std::fs::read_dir("/proc/self/task")?.count() {
            1 => Ok(Self(PhantomData)),
            _ => Err(io::Error::from_raw_os_error(libc::EBUSY)),
        }
    }

    /// For tests, which run beside the thread that waits for them.
    #[cfg(test)]
    pub(crate) fn forged() -> Self {
        Self(PhantomData)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_thread_is_seen() {
        let checked = std::thread::spawn(|| SingleThread::check().map(drop)).join().unwrap();
        assert_eq!(checked.unwrap_err().raw_os_error(), Some(libc::EBUSY));
    }
}
