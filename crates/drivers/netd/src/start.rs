//! Starting netd.

use crate::error::{Error, Result};
use netd_protocol::file;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, WaitOptions, waitpid};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use sys::spawn;

/// The program that is netd.
#[derive(Debug, Clone)]
pub struct Program {
    /// Absolute path: of `container-runtime` itself, as a rule.
    pub path: PathBuf,
    /// Arguments after `netd --state DIR`.
    pub arguments: Vec<OsString>,
}

impl Program {
    /// Starts it in a session of its own, and returns once it is ready: it outlives this process.
    pub(crate) fn start(&self, state: &Path) -> Result<()> {
        let log_path = state.join(file::LOG);
        let log = File::options().create(true).append(true).open(&log_path).map_err(Error::Start)?;
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).map_err(|error| Error::Start(error.into()))?;
        let mut arguments: Vec<&OsStr> = vec![OsStr::new("netd"), OsStr::new("--state"), state.as_os_str()];
        arguments.extend(self.arguments.iter().map(OsString::as_os_str));
        let child = spawn::spawn(&spawn::Program {
            path: &self.path,
            arguments: &arguments,
            environment: &[],
            descriptors: &[(writer.as_fd(), 1), (log.as_fd(), 2)],
        })
        .map_err(Error::Start)?;
        drop(writer);
        reap(child.pid);
        let mut word = [0; 6];
        // Either it says so, or its end closes the pipe.
        match File::from(reader).read_exact(&mut word) {
            Ok(()) if word == *b"ready\n" => Ok(()),
            _ => Err(Error::Ended { log: log_path }),
        }
    }
}

/// Takes the exit status when there is one, however long that takes: only its parent can.
fn reap(pid: u32) {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return };
    let waiting = std::thread::Builder::new().name("netd".into()).stack_size(64 << 10);
    let spawned = waiting
        .spawn(move || while let Err(rustix::io::Errno::INTR) = waitpid(Some(pid), WaitOptions::empty()) {});
    if let Err(error) = spawned {
        tracing::warn!(%error, "netd's end will leave a zombie");
    }
}
