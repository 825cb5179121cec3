//! What the kernel has said about the processes that it killed for lack of memory.
//!
//! The count of them is in their cgroup, and systemd removes that as soon as its last process is dead: faster, mostly,
//! than the kernel tells that the count has changed, which it does once in 10 ms at most.

use rustix::fs::{Mode, OFlags, SeekFrom, open, seek};
use rustix::io::{Errno, read};
use std::os::fd::OwnedFd;
use std::path::Path;

/// The kernel's log from some moment on: what it said before may be about others that had the same number or name. (The
/// clock that its records have differs from all that a program can read.)
#[derive(Debug)]
pub(crate) struct KernelLog(OwnedFd);

impl KernelLog {
    /// From now on. None: it can't be read.
    pub(crate) fn from_now() -> Option<Self> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let log = open(Path::new("/dev/kmsg"), flags, Mode::empty()).ok()?;
        seek(&log, SeekFrom::End(0)).ok()?;
        Some(Self(log))
    }

    /// Whether the kernel has killed this process, or one of the cgroup of this name, for lack of memory since. What has
    /// been read is not read again.
    pub(crate) fn tells_of_memory_kill(&self, pid: i32, cgroup: &str) -> bool {
        // dev-kmsg (kernel's ABI documentation): a record for each read; EPIPE where some were overwritten.
        let mut record = [0; 8192];
        loop {
            match read(&self.0, &mut record) {
                Ok(length) if length > 0 => {
                    if is_about(&String::from_utf8_lossy(&record[..length]), pid, cgroup) {
                        return true;
                    }
                }
                Err(Errno::PIPE | Errno::INTR | Errno::INVAL) => {}
                _ => return false,
            }
        }
    }
}

fn is_about(record: &str, pid: i32, cgroup: &str) -> bool {
    let text = record.split_once(';').map_or(record, |(_, text)| text);
    let of_process = text
        .strip_prefix("Memory cgroup out of memory: Killed process ")
        .is_some_and(|rest| rest.split(' ').next() == Some(pid.to_string().as_str()));
    // Left out where there were many of them just before.
    let of_cgroup = text.starts_with("oom-kill:")
        && text
            .split(',')
            .filter_map(|field| field.strip_prefix("oom_memcg="))
            .any(|path| path.ends_with(cgroup));
    of_process || of_cgroup
}

#[cfg(test)]
mod tests {
    use super::{KernelLog, is_about};

    #[test]
    fn only_what_is_said_later_counts() {
        let say = |name: &str| {
            let record = format!("<6>oom-kill:constraint=NONE,oom_memcg=/{name},task=none,pid=0,uid=0\n");
            std::fs::write("/dev/kmsg", record)
        };
        let name = |number: u32| format!("container-runtime-test-{}-{number}.scope", std::process::id());
        if let Err(error) = say(&name(1)) {
            return eprintln!("skipped: this test writes to the kernel's log: {error}");
        }
        let log = KernelLog::from_now().unwrap();
        say(&name(2)).unwrap();
        assert!(!KernelLog::from_now().unwrap().tells_of_memory_kill(0, &name(2)));
        assert!(log.tells_of_memory_kill(0, &name(2)));
        let log = KernelLog::from_now().unwrap();
        assert!(!log.tells_of_memory_kill(0, &name(1)));
    }

    #[test]
    fn both_kinds_of_record_are_understood() {
        let killed = "3,740,81736,-;Memory cgroup out of memory: Killed process 812 (sh) total-vm:9kB\n";
        assert!(is_about(killed, 812, "x.scope"));
        assert!(!is_about(killed, 81, "x.scope"));
        let group = "6,739,81735,-;oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=x.scope,mems_allowed=0,\
                     oom_memcg=/system.slice/x.scope,task_memcg=/system.slice/x.scope,task=sh,pid=812,uid=0\n";
        assert!(is_about(group, 1, "/x.scope"));
        assert!(!is_about(group, 1, "/y.scope"));
        assert!(!is_about("6,1,1,-;eth0: /x.scope\n", 1, "/x.scope"));
    }
}
