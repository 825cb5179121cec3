//! The process's own environment.

use crate::thread::SingleThread;

/// Empties the environment, so that nothing of a parent's reaches what this process starts.
///
/// C code may read the environment at any time, so nothing else may run.
pub fn clear(_alone: SingleThread) {
    // SAFETY: a single thread is what makes changing `environ` sound.
    unsafe { libc::clearenv() };
}
