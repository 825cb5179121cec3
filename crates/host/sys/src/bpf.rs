//! Small programs for the kernel that decide which devices a cgroup (version 2) may use: `bpf(2)`.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

const PROG_LOAD: libc::c_int = 5;
const PROG_ATTACH: libc::c_int = 8;
const PROG_DETACH: libc::c_int = 9;
const PROGRAM_TYPE_CGROUP_DEVICE: u32 = 15;
const ATTACH_TYPE_CGROUP_DEVICE: u32 = 6;
/// Every program of the cgroup and of those above it must agree.
const ALLOW_MULTI: u32 = 1 << 1;

/// The kernel's `union bpf_attr` for `BPF_PROG_LOAD`, as far as it is used.
#[repr(C)]
struct Load {
    program_type: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buffer: u64,
    kernel_version: u32,
    flags: u32,
}

/// Likewise for `BPF_PROG_ATTACH` and `BPF_PROG_DETACH`.
#[repr(C)]
struct Attach {
    target: u32,
    program: u32,
    attach_type: u32,
    flags: u32,
}

/// Loads a program for `BPF_CGROUP_DEVICE`; each number is a `struct bpf_insn`.
///
/// # Errors
/// `EPERM` without `CAP_BPF` or `CAP_SYS_ADMIN`; `EINVAL` or `EACCES` for a program that the kernel does not accept.
pub fn load_device_program(instructions: &[u64]) -> io::Result<OwnedFd> {
    let attributes = Load {
        program_type: PROGRAM_TYPE_CGROUP_DEVICE,
        count: u32::try_from(instructions.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        instructions: instructions.as_ptr() as u64,
        license: c"Apache".as_ptr() as u64,
        log_level: 0,
        log_size: 0,
        log_buffer: 0,
        kernel_version: 0,
        flags: 0,
    };
    // SAFETY: the structure is a prefix of the kernel's, with its length; the memory that it points to outlives the call.
    let fd = unsafe { bpf(PROG_LOAD, &attributes) }?;
    // SAFETY: the kernel has just made it for us.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Puts a cgroup, given by its directory, under a program, beside those that it is under already.
///
/// # Errors
/// `EBADF` for what is no cgroup of version 2; `EPERM` where a cgroup above forbids it.
pub fn attach_device_program(cgroup: impl AsFd, program: impl AsFd) -> io::Result<()> {
    // SAFETY: the structure holds numbers only.
    unsafe { bpf(PROG_ATTACH, &attachment(&cgroup, &program, ALLOW_MULTI)) }.map(drop)
}

/// Takes a cgroup from under a program.
///
/// # Errors
/// `ENOENT` when it is not under it.
pub fn detach_device_program(cgroup: impl AsFd, program: impl AsFd) -> io::Result<()> {
    // SAFETY: the structure holds numbers only.
    unsafe { bpf(PROG_DETACH, &attachment(&cgroup, &program, 0)) }.map(drop)
}

fn attachment(cgroup: &impl AsFd, program: &impl AsFd, flags: u32) -> Attach {
    let number = |fd: &dyn AsRawFd| fd.as_raw_fd().cast_unsigned();
    let (target, program) = (number(&cgroup.as_fd()), number(&program.as_fd()));
    Attach { target, program, attach_type: ATTACH_TYPE_CGROUP_DEVICE, flags }
}

/// # Safety
/// `attributes` must be a prefix of the kernel's structure for `command`, with valid pointers.
unsafe fn bpf<T>(command: libc::c_int, attributes: &T) -> io::Result<libc::c_int> {
    // SAFETY: by the condition above; the kernel reads exactly the length given.
    let result = unsafe { libc::syscall(libc::SYS_bpf, command, &raw const *attributes, size_of::<T>()) };
    match result {
        -1 => Err(io::Error::last_os_error()),
        fd => libc::c_int::try_from(fd).map_err(io::Error::other),
    }
}
