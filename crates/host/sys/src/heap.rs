//! The C library's heap, for programs of which many run at once.

/// Gives freed memory back to the kernel.
pub fn trim() {
    // SAFETY: it works on the allocator's own structures under its own lock.
    unsafe { libc::malloc_trim(0) };
}

/// Keeps the heap small rather than fast: large blocks go straight back to the kernel when freed.
pub fn keep_small() {
    // SAFETY: it sets numbers that the allocator reads.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 * 1024);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 32 * 1024);
        libc::mallopt(libc::M_TOP_PAD, 0);
    }
}
