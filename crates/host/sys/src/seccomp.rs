//! Loading a compiled system call filter.

use std::io;

/// The length of one instruction of the filter's machine.
const INSTRUCTION: usize = 8;

/// `SECCOMP_FILTER_FLAG_LOG`: the kernel logs what the filter does not simply allow.
pub const LOG: u32 = 1 << 1;
/// `SECCOMP_FILTER_FLAG_SPEC_ALLOW`: without the mitigation of speculative store bypass.
pub const SPEC_ALLOW: u32 = 1 << 2;

/// Puts this thread, and what it executes, under a filter for ever. `program` is an array of `struct sock_filter` in
/// the machine's byte order, as libseccomp exports it.
///
/// # Errors
/// `InvalidInput` for a program that is no whole number of instructions or too long; `EACCES` without `CAP_SYS_ADMIN`
/// and without `no_new_privs`; `EINVAL` for one that the kernel finds wrong.
pub fn load(program: &[u8], flags: u32) -> io::Result<()> {
    let count = u16::try_from(program.len() / INSTRUCTION);
    let (Ok(len), true) = (count, program.len().is_multiple_of(INSTRUCTION)) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    // The kernel reads bytes through the pointer, but its type asks for alignment.
    let mut filter: Vec<libc::sock_filter> = program.chunks_exact(INSTRUCTION).map(instruction).collect();
    let program = libc::sock_fprog { len, filter: filter.as_mut_ptr() };
    // SAFETY: the kernel copies `len` instructions from the array, which outlives the call.
    match unsafe {
        libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program)
    } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn instruction(bytes: &[u8]) -> libc::sock_filter {
    let code = u16::from_ne_bytes([bytes[0], bytes[1]]);
    let k = u32::from_ne_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
    libc::sock_filter { code, jt: bytes[2], jf: bytes[3], k }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_program_is_refused() {
        assert_eq!(load(&[0; 7], 0).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        assert!(load(&[], 0).is_err());
        assert!(load(&[0xff; 8], 0).is_err(), "no such instruction");
    }
}
