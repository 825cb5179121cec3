//! Freezing, killing and removing cgroups.

use crate::error::{Error, Result};
use crate::files;
use crate::group::{Cgroup, Place};
use crate::host::Controller;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long the kernel may take to freeze or to end processes.
const LIMIT: Duration = Duration::from_secs(10);

/// How long the kernel may take to let go of a cgroup whose last process has ended.
const REMOVE_LIMIT: Duration = Duration::from_secs(2);

/// Between looks at a state that cannot be waited for otherwise.
const PAUSE: Duration = Duration::from_millis(1);

impl Cgroup {
    /// Stops all processes here and below; returns once the kernel says so.
    pub fn freeze(&self) -> Result<()> {
        self.set_frozen(true)
    }

    /// Undoes [`Cgroup::freeze`].
    pub fn thaw(&self) -> Result<()> {
        self.set_frozen(false)
    }

    /// Whether it is frozen.
    pub fn is_frozen(&self) -> Result<bool> {
        match &self.place {
            Place::V2(directory) => {
                Ok(files::flat_keyed(&directory.join("cgroup.events"))?.get("frozen") == Some(&1))
            }
            Place::V1 { .. } => Ok(files::read(&self.freezer()?.join("freezer.state"))?.trim() == "FROZEN"),
        }
    }

    fn freezer(&self) -> Result<&Path> {
        self.of(Controller::Freezer).ok_or(Error::NoController { controller: "freezer" })
    }

    fn set_frozen(&self, frozen: bool) -> Result<()> {
        let (file, on, off) = match &self.place {
            Place::V2(directory) => (directory.join("cgroup.freeze"), "1", "0"),
            Place::V1 { .. } => (self.freezer()?.join("freezer.state"), "FROZEN", "THAWED"),
        };
        let started = Instant::now();
        loop {
            // v1 stays at FREEZING when a process is born meanwhile: it has to be told again.
            files::write(&file, if frozen { on } else { off })?;
            if self.is_frozen()? == frozen {
                return Ok(());
            }
            if started.elapsed() > LIMIT {
                let wanted = if frozen { "frozen" } else { "thawed" };
                return Err(Error::Deadline { path: file, wanted, limit: LIMIT });
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Sends SIGKILL to everything here and below, thaws it, and returns once no process is left. An absent cgroup
    /// is success.
    pub fn kill(&self) -> Result<()> {
        let started = Instant::now();
        loop {
            let pids = self.pids()?;
            if pids.is_empty() {
                return Ok(());
            }
            let Some(left) = LIMIT.checked_sub(started.elapsed()) else {
                let path = self.directories().first().cloned().unwrap_or_default();
                return Err(Error::Deadline { path, wanted: "empty", limit: LIMIT });
            };
            self.kill_once(&pids, left)?;
        }
    }

    /// One round: what is born while it goes on is left for the next.
    fn kill_once(&self, pids: &[u32], limit: Duration) -> Result<()> {
        let processes: Vec<(u32, OwnedFd)> =
            pids.iter().filter_map(|pid| Some((*pid, open(*pid)?))).collect();
        let at_once = match &self.place {
            Place::V2(directory) => allow_missing(files::write(&directory.join("cgroup.kill"), "1"))?,
            Place::V1 { .. } => false,
        };
        if !at_once {
            // The processes behind the descriptors may have left meanwhile, and the numbers been given to others.
            let still = self.pids()?;
            for (pid, process) in &processes {
                if still.binary_search(pid).is_ok() {
                    // A process that has just ended is what is wanted.
                    let _ = pidfd_send_signal(process, Signal::KILL);
                }
            }
        }
        // Frozen processes of v1 die only once thawed.
        if let Some(freezer) = self.of(Controller::Freezer) {
            allow_missing(files::write(&freezer.join("freezer.state"), "THAWED"))?;
        }
        wait_for_ends(&processes, limit);
        Ok(())
    }

    /// Removes the empty cgroup with everything below. An absent one is success.
    pub fn remove(&self) -> Result<()> {
        self.directories().iter().try_for_each(|directory| remove_subtree(directory))
    }
}

/// None: it has ended.
fn open(pid: u32) -> Option<OwnedFd> {
    let own = std::process::id();
    let pid = i32::try_from(pid).ok().filter(|_| pid != own).and_then(Pid::from_raw)?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}

/// Whether the file was there.
fn allow_missing(result: Result<()>) -> Result<bool> {
    match result {
        Ok(()) => Ok(true),
        Err(error) if error.is_missing() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Waits until each has ended, or the time is up, which the caller notices by looking again.
fn wait_for_ends(processes: &[(u32, OwnedFd)], limit: Duration) {
    let deadline = Instant::now() + limit;
    for (_, process) in processes {
        let left = deadline.saturating_duration_since(Instant::now());
        let left = Timespec::try_from(left).ok();
        let mut fds = [PollFd::new(process, PollFlags::IN)];
        let _ = poll(&mut fds, left.as_ref());
    }
}

/// Children first. The kernel can take a moment to notice that a cgroup is empty.
fn remove_subtree(root: &Path) -> Result<()> {
    let started = Instant::now();
    loop {
        let mut busy = None;
        for directory in files::subtree(root)?.iter().rev() {
            match fs::remove_dir(directory) {
                Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                    busy = Some(Error::File { action: "remove", path: directory.clone(), cause });
                }
                _ => {}
            }
        }
        match busy {
            None => return Ok(()),
            Some(error) if started.elapsed() > REMOVE_LIMIT => return Err(error),
            Some(_) => std::thread::sleep(PAUSE),
        }
    }
}
