//! Containers' processes: whether they live, and where their network is.

use crate::watched::watched;
use anyhow::{Context, Result, ensure};
use netd_protocol::Process;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use std::os::fd::OwnedFd;

/// A pidfd of the process that was meant, and no later one of its number.
pub(super) fn open(process: Process) -> Result<OwnedFd> {
    let raw = i32::try_from(process.pid).ok().and_then(Pid::from_raw).context("0 is no process")?;
    let pidfd =
        pidfd_open(raw, PidfdFlags::empty()).with_context(|| format!("open process {}", process.pid))?;
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.pid))?;
    let same = Process::read(&stat) == Some(process) && is_alive(&pidfd);
    ensure!(same, "process {} is another by now", process.pid);
    Ok(pidfd)
}

/// The network namespace of a process that `pidfd` is of.
pub(super) fn namespace(process: Process, pidfd: &OwnedFd) -> Result<OwnedFd> {
    let path = format!("/proc/{}/ns/net", process.pid);
    let namespace = rustix::fs::open(&path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).context(path)?;
    // It was there before and is there after, so the number was its own in between.
    ensure!(is_alive(pidfd), "process {} has ended", process.pid);
    Ok(namespace)
}

/// Returns once the process has ended.
pub(super) async fn ended(pidfd: OwnedFd) {
    if let Ok(pidfd) = watched(pidfd) {
        // An error would be the runtime's end.
        let _ = pidfd.readable().await;
    }
}

fn is_alive(pidfd: &OwnedFd) -> bool {
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    poll(&mut [PollFd::new(pidfd, PollFlags::IN)], Some(&now)) == Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_a_later_one() {
        let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
        let Process { pid, start_time } = Process::read(&stat).unwrap();
        let pidfd = open(Process { pid, start_time }).unwrap();
        namespace(Process { pid, start_time }, &pidfd).unwrap();
        assert!(open(Process { pid, start_time: start_time + 1 }).is_err());
        assert!(open(Process { pid: 0, start_time }).is_err());
    }
}
