//! Plugins that a daemon which was killed left at work.

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

/// One that does not die by then is stuck in the kernel.
const LIMIT: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(2);

/// Ends plugins, and what they started, that attach the namespaces of these paths: what they did after the taking back would stay.
pub(crate) fn end(namespaces: &[PathBuf]) {
    let mark = |namespace: &PathBuf| [b"CNI_NETNS=", namespace.as_os_str().as_bytes()].concat();
    let marks: HashSet<Vec<u8>> = namespaces.iter().map(mark).collect();
    let deadline = Instant::now() + LIMIT;
    while kill(&marks) && Instant::now() < deadline {
        thread::sleep(PAUSE);
    }
}

/// Whether there were some.
fn kill(marks: &HashSet<Vec<u8>>) -> bool {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let mut found = false;
    for entry in entries {
        let Some(pid) = number(&entry.file_name()) else { continue };
        if !bears(pid, marks) {
            continue;
        }
        // Looked at again once the number can't become another's.
        let Ok(process) = pidfd_open(pid, PidfdFlags::empty()) else { continue };
        if bears(pid, marks) {
            found = true;
            tracing::info!(pid = pid.as_raw_nonzero(), "a plugin of an earlier daemon is ended");
            if let Err(error) = pidfd_send_signal(&process, Signal::KILL) {
                tracing::debug!(%error, "it has ended");
            }
        }
    }
    found
}

fn number(name: &OsStr) -> Option<Pid> {
    Pid::from_raw(name.to_str()?.parse().ok()?)
}

fn bears(pid: Pid, marks: &HashSet<Vec<u8>>) -> bool {
    let environment = std::fs::read(format!("/proc/{}/environ", pid.as_raw_nonzero())).unwrap_or_default();
    environment.split(|byte| *byte == 0).any(|variable| marks.contains(variable))
}
