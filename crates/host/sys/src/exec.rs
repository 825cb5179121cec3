//! Replacing the process's program, without what `std` and `execvp` add to it.

use std::ffi::{CStr, CString};
use std::io;

/// `execve(2)`: exactly this file, these arguments and this environment; no search, and no shell for a file without
/// a known format. Returns only when it failed.
pub fn execve(path: &CStr, arguments: &[CString], environment: &[CString]) -> io::Error {
    let pointers = |strings: &[CString]| -> Vec<*const libc::c_char> {
        strings.iter().map(|s| s.as_ptr()).chain(std::iter::once(std::ptr::null())).collect()
    };
    let arguments = pointers(arguments);
    let environment = pointers(environment);
    // SAFETY: both arrays end with a null pointer, and the strings they point to outlive the call.
    unsafe { libc::execve(path.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}
