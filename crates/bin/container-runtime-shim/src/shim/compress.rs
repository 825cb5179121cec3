//! Compressing rotated log files, for logs that ask for it: one process of low priority at a time, beside this one.

use super::Shim;
use crate::log;
use std::ffi::OsStr;
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};
use sys::spawn::{Program, spawn};

/// The compressing process.
#[derive(Debug, Default)]
pub(super) struct Compressor {
    pid: Option<i32>,
    /// What came up since it was started.
    next: Option<PathBuf>,
}

impl Shim {
    /// Has what was rotated compressed.
    pub(super) fn compress_log(&mut self) {
        let log = self.container.as_mut().and_then(|container| container.log.as_mut());
        if let Some(path) = log.and_then(|log| log.take_uncompressed()) {
            let path = path.to_owned();
            self.compressor.ask(path);
        }
    }
}

impl Compressor {
    fn ask(&mut self, log: PathBuf) {
        if self.pid.is_some() {
            self.next = Some(log);
            return;
        }
        match start(&log) {
            Ok(pid) => self.pid = Some(pid),
            // The files are read as they are; the next rotation tries again.
            Err(error) => log::note(format_args!("compress the log: {error}")),
        }
    }

    /// A child has been reaped.
    pub(super) fn ended(&mut self, pid: i32) {
        if self.pid == Some(pid) {
            self.pid = None;
            if let Some(log) = self.next.take() {
                self.ask(log);
            }
        }
    }
}

fn start(log: &Path) -> std::io::Result<i32> {
    let complaints = log::file()?;
    let child = spawn(&Program {
        // Also where an upgrade has replaced the file.
        path: Path::new("/proc/self/exe"),
        arguments: &[OsStr::new("compress"), log.as_os_str()],
        environment: &[],
        descriptors: &[(complaints.as_fd(), 2)],
    })?;
    Ok(child.pid.cast_signed())
}
