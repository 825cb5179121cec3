//! The small init of `--init`: the first process of a container, that starts the program, passes signals on to it,
//! reaps whatever is orphaned, and ends with the program's exit code.
//!
//! It is this binary, mounted into the container under the name `docker-init`.

use crate::log;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, wait};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::ExitCode;

/// The name by which it is called.
pub(crate) const NAME: &str = "docker-init";

/// Not passed on: what cannot be caught, what this process does wrong itself, and what tells of children.
const OWN: [Signal; 10] = [
    Signal::KILL,
    Signal::STOP,
    Signal::FPE,
    Signal::ILL,
    Signal::SEGV,
    Signal::BUS,
    Signal::ABORT,
    Signal::TRAP,
    Signal::SYS,
    Signal::PROF,
];

/// Runs the program that `arguments` name after an optional `--`.
pub(crate) fn init(arguments: impl Iterator<Item = String>) -> ExitCode {
    let mut words = arguments.skip_while(|word| word == "--");
    let Some(program) = words.next() else {
        log::note(format_args!("{NAME}: no program was named"));
        return ExitCode::from(2);
    };
    match run(&program, words) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            log::note(format_args!("{NAME}: {program}: {error}"));
            ExitCode::from(if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 })
        }
    }
}

fn run(program: &str, arguments: impl Iterator<Item = String>) -> io::Result<u8> {
    let wanted: Vec<i32> = (1..=64)
        // 32 and 33 are the C library's own.
        .filter(|&number| !matches!(number, 32 | 33) && OWN.iter().all(|own| own.as_raw() != number))
        .collect();
    let signals = sys::signals::descriptor(&wanted)?;
    // A process group of its own, so that the terminal's keys reach the program and not this process.
    let mut command = std::process::Command::new(program);
    sys::signals::fresh(&mut command);
    let child = command.args(arguments).process_group(0).spawn()?;
    let pid = Pid::from_child(&child);
    let stdin = io::stdin();
    if rustix::termios::tcgetpgrp(&stdin).is_ok() {
        // Without a terminal of ours this fails, and nothing is lost.
        let _ = rustix::termios::tcsetpgrp(&stdin, pid);
        // It may have touched the terminal before that, and been stopped for it.
        let _ = sys::signals::send(pid.as_raw_nonzero().get(), Signal::CONT.as_raw());
    }
    loop {
        let signal = next(&signals)?;
        if signal != Signal::CHILD.as_raw() {
            // The program may be gone already: its end comes next.
            let _ = sys::signals::send(pid.as_raw_nonzero().get(), signal);
        } else if let Some(code) = reap(pid)? {
            return Ok(code);
        }
    }
}

/// Waits for a signal: the first field of `signalfd_siginfo` (`signalfd(2)`) is its number.
fn next(signals: &OwnedFd) -> io::Result<i32> {
    loop {
        let mut info = [0; 128];
        match rustix::io::read(signals, &mut info) {
            Ok(_) => return Ok(i32::from_ne_bytes([info[0], info[1], info[2], info[3]])),
            Err(rustix::io::Errno::AGAIN) => {
                poll(&mut [PollFd::new(signals, PollFlags::IN)], None)?;
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Reaps every child that has ended; the program's exit code once it is among them.
fn reap(program: Pid) -> io::Result<Option<u8>> {
    let mut ended = None;
    while let Some((pid, status)) = match wait(WaitOptions::NOHANG) {
        Err(rustix::io::Errno::CHILD) => None,
        other => other?,
    } {
        if pid == program {
            ended = Some(code(status));
        }
    }
    Ok(ended)
}

fn code(status: WaitStatus) -> u8 {
    let code = status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
