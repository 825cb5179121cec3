//! Starting a program from a process with many threads, without a copy of its memory and without leaks.
//!
//! `std::process::Command` can hand over no descriptors beyond the first three without running code of ours between
//! fork and exec, which costs a whole `fork`, with a copy of the page tables. This is `posix_spawn`, which shares the
//! parent's memory until the exec.

use rustix::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use rustix::process::{Pid, PidfdFlags, Signal, WaitOptions, kill_process, pidfd_open, waitpid};
use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What to start, and with what.
#[derive(Debug)]
pub struct Program<'a> {
    /// Absolute path of the program.
    pub path: &'a Path,
    /// Arguments after the program's name.
    pub arguments: &'a [&'a OsStr],
    /// The whole environment: nothing of the parent's is added.
    pub environment: &'a [(&'a str, &'a OsStr)],
    /// Descriptors by the number that they get in the program. Of 0, 1 and 2 those that are not named are `/dev/null`.
    pub descriptors: &'a [(BorrowedFd<'a>, RawFd)],
}

/// A started program, still to be waited for by its parent.
#[derive(Debug)]
pub struct Child {
    /// Process id.
    pub pid: u32,
    /// Readable once it has ended.
    pub pidfd: OwnedFd,
}

/// Starts a program in a session of its own, with default signal actions and nothing blocked.
///
/// All other descriptors of this process must be close-on-exec, as those that Rust opens are.
///
/// # Errors
/// The kernel's, those of the exec too. `InvalidInput` for texts with a zero byte.
pub fn spawn(program: &Program<'_>) -> io::Result<Child> {
    let path = c_string(program.path.as_os_str())?;
    let mut arguments = vec![path.clone()];
    for argument in program.arguments {
        arguments.push(c_string(argument)?);
    }
    let mut environment = Vec::with_capacity(program.environment.len());
    for (name, value) in program.environment {
        let entry = [name.as_bytes(), b"=", value.as_bytes()].concat();
        environment.push(CString::new(entry)?);
    }
    // Above all targets, so that putting one in place overwrites no other.
    let lowest_free = 1 + program.descriptors.iter().map(|(_, target)| *target).max().unwrap_or(0).max(2);
    let mut actions = Actions::new()?;
    for standard in 0..3 {
        actions.open_null(standard)?;
    }
    let mut moved = Vec::with_capacity(program.descriptors.len());
    for (descriptor, target) in program.descriptors {
        let high = rustix::io::fcntl_dupfd_cloexec(descriptor, lowest_free)?;
        actions.duplicate(high.as_raw_fd(), *target)?;
        moved.push(high);
    }
    let attributes = Attributes::new()?;
    let pid = posix_spawn(&path, &arguments, &environment, &actions, &attributes)?;
    // Nobody else waits for it, so the number can't have been given to another.
    let pidfd = pidfd_open(pid, PidfdFlags::empty()).inspect_err(|_| {
        // Without one nobody would ever take care of it. A child of ours can be killed and waited for.
        let _ = kill_process(pid, Signal::KILL);
        let _ = waitpid(Some(pid), WaitOptions::empty());
    })?;
    Ok(Child { pid: pid.as_raw_nonzero().get().unsigned_abs(), pidfd })
}

fn posix_spawn(
    path: &CStr,
    arguments: &[CString],
    environment: &[CString],
    actions: &Actions,
    attributes: &Attributes,
) -> io::Result<Pid> {
    let pointers = |strings: &[CString]| -> Vec<*mut libc::c_char> {
        strings.iter().map(|s| s.as_ptr().cast_mut()).chain(std::iter::once(std::ptr::null_mut())).collect()
    };
    let (arguments, environment) = (pointers(arguments), pointers(environment));
    let mut pid = 0;
    // SAFETY: both arrays end with a null pointer and, like the path, outlive the call, which does not write to them;
    // actions and attributes are initialised.
    let error = unsafe {
        libc::posix_spawn(
            &mut pid,
            path.as_ptr(),
            &actions.0,
            &attributes.0,
            arguments.as_ptr(),
            environment.as_ptr(),
        )
    };
    check(error)?;
    Pid::from_raw(pid).ok_or_else(|| io::Error::other("posix_spawn answered no process id"))
}

/// What the child does with descriptors before it executes the program.
struct Actions(libc::posix_spawn_file_actions_t);

impl Actions {
    fn new() -> io::Result<Self> {
        let mut actions = MaybeUninit::uninit();
        // SAFETY: it initialises the memory that it is given.
        check(unsafe { libc::posix_spawn_file_actions_init(actions.as_mut_ptr()) })?;
        // SAFETY: initialised by the call above, which did not fail.
        Ok(Self(unsafe { actions.assume_init() }))
    }

    fn open_null(&mut self, target: RawFd) -> io::Result<()> {
        // SAFETY: initialised in `new`; the path is copied.
        check(unsafe {
            libc::posix_spawn_file_actions_addopen(
                &mut self.0,
                target,
                c"/dev/null".as_ptr(),
                libc::O_RDWR,
                0,
            )
        })
    }

    fn duplicate(&mut self, from: RawFd, target: RawFd) -> io::Result<()> {
        // SAFETY: initialised in `new`; the numbers are only noted.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(&mut self.0, from, target) })
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed once.
        unsafe { libc::posix_spawn_file_actions_destroy(&mut self.0) };
    }
}

/// How the child starts: own session, signals as a program expects them.
struct Attributes(libc::posix_spawnattr_t);

impl Attributes {
    fn new() -> io::Result<Self> {
        let mut attributes = MaybeUninit::uninit();
        // SAFETY: it initialises the memory that it is given.
        check(unsafe { libc::posix_spawnattr_init(attributes.as_mut_ptr()) })?;
        // SAFETY: initialised by the call above, which did not fail.
        let mut attributes = Self(unsafe { attributes.assume_init() });
        let (mut all, mut none) = (MaybeUninit::uninit(), MaybeUninit::uninit());
        let flags = libc::POSIX_SPAWN_SETSIGDEF
            | libc::POSIX_SPAWN_SETSIGMASK
            | libc::c_int::from(libc::POSIX_SPAWN_SETSID);
        let flags = libc::c_short::try_from(flags).expect("flags of posix_spawn fit their type");
        // SAFETY: the two calls initialise the sets, which the others copy into the initialised attributes.
        let errors = unsafe {
            libc::sigfillset(all.as_mut_ptr());
            libc::sigemptyset(none.as_mut_ptr());
            [
                libc::posix_spawnattr_setsigdefault(&mut attributes.0, all.as_ptr()),
                libc::posix_spawnattr_setsigmask(&mut attributes.0, none.as_ptr()),
                libc::posix_spawnattr_setflags(&mut attributes.0, flags),
            ]
        };
        errors.into_iter().try_for_each(check)?;
        Ok(attributes)
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed once.
        unsafe { libc::posix_spawnattr_destroy(&mut self.0) };
    }
}

/// These functions answer an error number.
fn check(error: libc::c_int) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

fn c_string(text: &OsStr) -> io::Result<CString> {
    Ok(CString::new(text.as_bytes())?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::fd::AsFd;
    use std::io::Read;

    /// Runs a shell script with the write end of a pipe as one of its descriptors; answers what it wrote there.
    fn shell(script: &str, target: RawFd) -> String {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).unwrap();
        let child = spawn(&Program {
            path: Path::new("/bin/sh"),
            arguments: &["-c".as_ref(), script.as_ref()],
            environment: &[("ONLY", "this".as_ref())],
            descriptors: &[(write.as_fd(), target)],
        })
        .unwrap();
        drop(write);
        let mut text = String::new();
        std::fs::File::from(read).read_to_string(&mut text).unwrap();
        let pid = Pid::from_raw(i32::try_from(child.pid).unwrap());
        waitpid(pid, WaitOptions::empty()).unwrap();
        text
    }

    #[test]
    fn only_the_named_descriptors_reach_the_program() {
        let null = std::fs::File::open("/dev/null").unwrap();
        let ours = rustix::io::fcntl_dupfd_cloexec(&null, 20).unwrap();
        let ours = ours.as_raw_fd();
        let script = format!("for fd in 0 1 2 3 {ours}; do [ -e /proc/$$/fd/$fd ] && printf $fd, >&3; done");
        assert_eq!(shell(&script, 3), "0,1,2,3,");
    }

    #[test]
    fn environment_and_signals_are_as_for_a_fresh_program() {
        let text = shell("echo $ONLY ${HOME-unset} >&7; grep Sig[BI] /proc/self/status >&7", 7);
        let words: Vec<&str> = text.split_whitespace().collect();
        assert_eq!(words[..4], ["this", "unset", "SigBlk:", "0000000000000000"]);
        // This process ignores SIGPIPE, as Rust programs do. Signals 32 and 33 belong to the C library.
        let ignored = u64::from_str_radix(words[5], 16).unwrap();
        assert_eq!(ignored & 0x7fff_ffff, 0, "{ignored:#x}");
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_here() {
        let missing =
            Program { path: Path::new("/no/such"), arguments: &[], environment: &[], descriptors: &[] };
        assert_eq!(spawn(&missing).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
