//! The process's own environment.

/// Empties the environment, so that nothing of a parent's reaches what this process starts.
///
/// To be called at the start of `main`, before any other thread exists: C code may read the environment at any time.
pub fn clear() {
    // SAFETY: the documented condition, a single thread, is what makes changing `environ` sound.
    unsafe { libc::clearenv() };
}
