//! Keeping moves of processes between cgroups fast while there is work.
//!
//! A write to `cgroup.procs` takes a lock whose readers are per processor. Taking it for the first time in a while waits for
//! a grace period of the kernel: 10 to 24 ms measured on Linux 6.18, against 2 µs for the next write within 10 ms.
//! Starting a container and an exec each begin with such a write. So, from the first sign of work until a second after the
//! last, a thread repeats the cheapest write there is: one that moves this process to where it is.
//!
//! The host pays with slower forks (a shared counter instead of one per processor) for that second, and with nothing
//! else. Mounting cgroups with `favordynmods` has the same effect for ever.

use crate::host::{Controller, Host};
use std::fs::File;
use std::os::unix::fs::FileExt;
#[cfg(test)]
use std::path::Path;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// Between two writes: less than what the kernel needs to forget the last one.
const BEAT: Duration = Duration::from_millis(7);

/// How long it goes on after the last sign of work.
const LASTING: Duration = Duration::from_secs(1);

/// A thread that writes while there is work. It ends with the last of these.
#[derive(Debug, Clone)]
pub struct Warmth {
    inner: Option<Arc<Inner>>,
}

#[derive(Debug)]
struct Inner {
    epoch: Instant,
    /// Milliseconds since `epoch` until which to go on.
    until: AtomicU64,
    thread: OnceLock<Thread>,
}

impl Inner {
    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.wake();
    }
}

impl Warmth {
    /// Finds a `cgroup.procs` that lists this process. Where there is none, nothing is ever written.
    pub fn start(host: &Host) -> Self {
        let membership = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let Some(procs) =
            host.own_procs(&membership).and_then(|path| File::options().write(true).open(path).ok())
        else {
            return Self { inner: None };
        };
        let inner =
            Arc::new(Inner { epoch: Instant::now(), until: AtomicU64::new(0), thread: OnceLock::new() });
        let shared = Arc::downgrade(&inner);
        let thread = std::thread::Builder::new().name("cgroup-warmth".into()).stack_size(64 << 10);
        // Without a thread nothing is warm, and nothing is broken.
        if let Ok(handle) = thread.spawn(move || keep_warm(&procs, &shared)) {
            inner.thread.get_or_init(|| handle.thread().clone());
        }
        Self { inner: Some(inner) }
    }

    /// Says that a process will be moved soon. Costs a few nanoseconds while it is warm already.
    pub fn expect_work(&self) {
        let Some(inner) = &self.inner else { return };
        let now = inner.now();
        let until = inner.until.swap(now + millis(LASTING), Ordering::AcqRel);
        if until <= now {
            inner.wake();
        }
    }
}

impl Inner {
    fn now(&self) -> u64 {
        millis(self.epoch.elapsed())
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn keep_warm(procs: &File, inner: &Weak<Inner>) {
    loop {
        let Some(shared) = inner.upgrade() else { return };
        let warm = shared.until.load(Ordering::Acquire) > shared.now();
        drop(shared);
        if warm {
            // "0" is the writer itself. One that fails (it was moved meanwhile) makes nothing worse.
            let _ = procs.write_at(b"0", 0);
            std::thread::sleep(BEAT);
        } else {
            std::thread::park();
        }
    }
}

impl Host {
    /// The `cgroup.procs` that lists this process in a hierarchy where a move costs least: never memory's.
    fn own_procs(&self, membership: &str) -> Option<PathBuf> {
        let light = [Controller::Freezer, Controller::Pids, Controller::Cpu];
        let v1 =
            light.into_iter().find_map(|controller| Some((controller.name(), self.v1_mount(controller)?)));
        let v2 = self.v2_mount().map(|mount| ("", mount));
        let (controller, mount) = v1.or(v2)?;
        // `hierarchy:controllers:path`, see cgroups(7)
        let path = membership.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            controllers.split(',').any(|listed| listed == controller).then_some(path)
        })?;
        Some(mount.join(path.strip_prefix('/')?).join("cgroup.procs"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn its_own_place_is_found_on_both_versions() {
        let v1 = Host::from_mountinfo(
            "1 1 0:1 / /c/memory rw - cgroup cgroup rw,memory\n2 1 0:2 / /c/pids rw - cgroup cgroup rw,pids\n",
        );
        let procs = v1.own_procs("8:pids:/a/b\n4:memory:/m\n");
        assert_eq!(procs.as_deref(), Some(Path::new("/c/pids/a/b/cgroup.procs")));
        let v2 = Host::from_mountinfo("1 1 0:1 / /c rw - cgroup2 cgroup2 rw\n");
        assert_eq!(v2.own_procs("0::/x\n").as_deref(), Some(Path::new("/c/x/cgroup.procs")));
    }
}
