//! The cgroup that a container really is in, by the kernel's account, whoever made it.

use crate::kernel_log::KernelLog;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::inotify;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long processes may take to stop, meanwhile nothing else is served.
const FREEZING: Duration = Duration::from_secs(2);

/// Directories of a container's cgroup.
#[derive(Debug)]
pub(crate) struct Cgroup {
    /// Where its processes are listed.
    tasks: PathBuf,
    /// Where its memory is accounted.
    memory: Option<PathBuf>,
    /// Where it is frozen.
    freezer: Option<PathBuf>,
    unified: bool,
    /// What the kernel says while it exists; only where systemd removes it, with its counts.
    log: Option<KernelLog>,
}

/// A descriptor that becomes readable when memory ran out; the file belongs to it.
#[derive(Debug)]
pub(crate) struct MemoryWatch {
    pub(crate) fd: OwnedFd,
    _control: Option<File>,
}

impl AsFd for MemoryWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Cgroup {
    /// Of a process. None: it has none of its own, so that nothing may be signalled or watched through it.
    pub(crate) fn of(pid: i32) -> io::Result<Option<Self>> {
        let membership = std::fs::read_to_string(format!("/proc/{pid}/cgroup"))?;
        let ours = std::fs::read_to_string("/proc/self/cgroup")?;
        let mounts = std::fs::read_to_string("/proc/self/mountinfo")?;
        let mut found = Self::find(&membership, &ours, &mounts);
        if let Some(group) = found.as_mut().filter(|group| group.is_scope()) {
            group.log = KernelLog::from_now();
        }
        Ok(found)
    }

    fn find(membership: &str, ours: &str, mounts: &str) -> Option<Self> {
        let shared: BTreeSet<_> = ours.lines().collect();
        let mut directories = membership
            .lines()
            .filter(|line| !shared.contains(line))
            .filter_map(Line::parse)
            .filter(|line| line.path != "/")
            .filter_map(|line| Some((line.controllers, locate(&line, mounts)?)))
            .collect::<Vec<_>>();
        // Version 1's own hierarchies come first where both are mounted; any of them lists the processes.
        directories.sort_by_key(|(controllers, _)| controllers.is_empty());
        let (controllers, tasks) = directories.first()?;
        let unified = controllers.is_empty();
        let of = |controller: &str| {
            let own = directories.iter().find(|(controllers, _)| has(controllers, controller));
            if unified { Some(tasks.clone()) } else { own.map(|(_, directory)| directory.clone()) }
        };
        Some(Self { tasks: tasks.clone(), memory: of("memory"), freezer: of("freezer"), unified, log: None })
    }

    /// Every process in it and below.
    pub(crate) fn pids(&self) -> BTreeSet<i32> {
        let mut pids = BTreeSet::new();
        collect_pids(&self.tasks, &mut pids);
        pids
    }

    /// Signals every process in it; those that are born meanwhile too, when the signal kills.
    pub(crate) fn signal(&self, signal: i32) -> io::Result<()> {
        const KILL: i32 = 9;
        if signal == KILL && self.unified && std::fs::write(self.tasks.join("cgroup.kill"), "1").is_ok() {
            return Ok(());
        }
        let mut signalled = BTreeSet::new();
        for _ in 0..100 {
            let fresh: Vec<_> = self.pids().into_iter().filter(|pid| !signalled.contains(pid)).collect();
            for &pid in &fresh {
                match sys::signals::send(pid, signal) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound && !is_gone(&error) => {
                        return Err(error);
                    }
                    _ => signalled.insert(pid),
                };
            }
            if fresh.is_empty() || signal != KILL {
                break;
            }
        }
        Ok(())
    }

    /// Its directory where there is one hierarchy for all controllers (version 2).
    pub(crate) fn unified_directory(&self) -> Option<&Path> {
        self.unified.then_some(self.tasks.as_path())
    }

    /// Whether there is one hierarchy (version 2).
    pub(crate) fn is_unified(&self) -> bool {
        self.unified
    }

    /// Whether its memory is still accounted; not once it is removed.
    pub(crate) fn has_memory(&self) -> bool {
        self.memory.as_ref().is_some_and(|memory| memory.exists())
    }

    /// Whether the kernel says that it killed this process or another one of this cgroup for lack of memory, where the
    /// cgroup is gone and its count with it.
    pub(crate) fn lost_a_process_for_memory(&self, pid: i32) -> bool {
        let name = self.tasks.file_name().unwrap_or_default().to_string_lossy();
        let log = self.log.as_ref().filter(|_| !self.tasks.exists());
        log.is_some_and(|log| log.tells_of_memory_kill(pid, &format!("/{name}")))
    }

    fn is_scope(&self) -> bool {
        self.unified && self.tasks.extension().is_some_and(|extension| extension == "scope")
    }

    /// How many processes the kernel has killed in it for lack of memory.
    pub(crate) fn memory_kills(&self) -> u64 {
        let file = if self.unified { "memory.events" } else { "memory.oom_control" };
        let Some(memory) = &self.memory else { return 0 };
        let Ok(text) = std::fs::read_to_string(memory.join(file)) else { return 0 };
        text.lines()
            .find_map(|line| line.strip_prefix("oom_kill "))
            .and_then(|count| count.trim().parse().ok())
            .unwrap_or(0)
    }

    /// Whether its processes are frozen, or just being so, whoever did it.
    pub(crate) fn is_frozen(&self) -> bool {
        let file = if self.unified { "cgroup.freeze" } else { "freezer.state" };
        let Some(freezer) = &self.freezer else { return false };
        // One that vanishes meanwhile has no processes.
        let state = std::fs::read_to_string(freezer.join(file)).unwrap_or_default();
        matches!(state.trim(), "1" | "FROZEN" | "FREEZING")
    }

    /// Stops its processes, or lets them go on; returns once the kernel says that it has.
    pub(crate) fn freeze(&self, frozen: bool) -> io::Result<()> {
        let freezer = self.freezer.as_ref().ok_or(io::ErrorKind::Unsupported)?;
        let (file, words) = if self.unified {
            ("cgroup.freeze", ["0", "1"])
        } else {
            ("freezer.state", ["THAWED", "FROZEN"])
        };
        let until = Instant::now() + FREEZING;
        loop {
            // Version 1 stays half-way when a process is born meanwhile, until it is told again.
            std::fs::write(freezer.join(file), words[usize::from(frozen)])?;
            if self.has_settled(freezer, frozen)? {
                return Ok(());
            }
            if Instant::now() > until {
                // Rather as before than half-way; the error is what counts.
                let _ = std::fs::write(freezer.join(file), words[usize::from(!frozen)]);
                return Err(io::ErrorKind::TimedOut.into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn has_settled(&self, freezer: &Path, frozen: bool) -> io::Result<bool> {
        if !self.unified {
            let state = std::fs::read_to_string(freezer.join("freezer.state"))?;
            return Ok(state.trim() == if frozen { "FROZEN" } else { "THAWED" });
        }
        let events = std::fs::read_to_string(freezer.join("cgroup.events"))?;
        Ok(events.lines().any(|line| line == if frozen { "frozen 1" } else { "frozen 0" }))
    }

    /// Asks the kernel to tell when memory ran out.
    pub(crate) fn watch_memory(&self) -> io::Result<Option<MemoryWatch>> {
        let Some(memory) = &self.memory else { return Ok(None) };
        if self.unified {
            let watch = inotify::init(inotify::CreateFlags::NONBLOCK | inotify::CreateFlags::CLOEXEC)?;
            inotify::add_watch(&watch, memory.join("memory.events"), inotify::WatchFlags::MODIFY)?;
            return Ok(Some(MemoryWatch { fd: watch, _control: None }));
        }
        let control = File::open(memory.join("memory.oom_control"))?;
        let fd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
        let registration = format!("{} {}", fd.as_raw_fd(), control.as_raw_fd());
        std::fs::write(memory.join("cgroup.event_control"), registration)?;
        Ok(Some(MemoryWatch { fd, _control: Some(control) }))
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::SRCH.raw_os_error())
}

fn collect_pids(directory: &Path, pids: &mut BTreeSet<i32>) {
    // A directory that vanishes meanwhile has no processes.
    let text = std::fs::read_to_string(directory.join("cgroup.procs")).unwrap_or_default();
    pids.extend(text.lines().filter_map(|line| line.parse::<i32>().ok()).filter(|&pid| pid > 0));
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            collect_pids(&entry.path(), pids);
        }
    }
}

fn has(controllers: &str, controller: &str) -> bool {
    controllers.split(',').any(|name| name == controller)
}

/// A line of `/proc/PID/cgroup`.
struct Line<'a> {
    controllers: &'a str,
    path: &'a str,
}

impl<'a> Line<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.splitn(3, ':').skip(1);
        Some(Self { controllers: fields.next()?, path: fields.next()? })
    }
}

/// Where the hierarchy of a line is mounted, with the line's path in it.
fn locate(line: &Line<'_>, mounts: &str) -> Option<PathBuf> {
    mounts.lines().find_map(|mount| {
        let (left, right) = mount.split_once(" - ")?;
        let mut left = left.split(' ').skip(3);
        let (root, point) = (left.next()?, left.next()?);
        let mut right = right.split(' ');
        let (kind, options) = (right.next()?, right.next_back()?);
        let wanted = match line.controllers {
            "" => kind == "cgroup2",
            controllers => kind == "cgroup" && controllers.split(',').all(|name| has(options, name)),
        };
        let path = line.path.strip_prefix(root.trim_end_matches('/'))?;
        wanted.then(|| Path::new(point).join(path.trim_start_matches('/')))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HYBRID: &str = "\
        33 32 0:28 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n\
        34 32 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
        35 32 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

    #[test]
    fn version_1_finds_its_memory_hierarchy() {
        let ours = "3:memory:/\n2:cpu,cpuacct:/\n0::/\n";
        let group = Cgroup::find("3:memory:/a/b\n2:cpu,cpuacct:/a/b\n0::/\n", ours, HYBRID).unwrap();
        assert_eq!(group.memory.as_deref(), Some(Path::new("/sys/fs/cgroup/memory/a/b")));
        assert!(!group.unified);
    }

    #[test]
    fn version_2_has_one_directory_below_the_mounts_root() {
        let mounts = "35 32 0:30 /outer /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        let group = Cgroup::find("0::/outer/box\n", "0::/outer\n", mounts).unwrap();
        assert_eq!(group.tasks, Path::new("/sys/fs/cgroup/box"));
        assert!(group.unified);
    }

    #[test]
    fn a_cgroup_shared_with_the_shim_is_never_touched() {
        assert!(Cgroup::find("3:memory:/\n0::/\n", "3:memory:/\n0::/\n", HYBRID).is_none());
    }
}
