//! Where directories go to be deleted while nobody waits.
//!
//! Removing a tree takes seconds and slows down whoever creates files meanwhile; renaming it takes microseconds. The
//! trash is a directory on the same mount: what it holds belongs to nobody, at whatever moment the process ended, and
//! is deleted at the next start.
//!
//! Where a deletion waits for the disk (unlinking a file that was written back took 2.5 ms on the machine this was
//! measured on, whatever program did it), several at once take hardly longer than one.

use crate::{Leftover, Result, at, create_dir_all, workers};
use rustix::fs::{CWD, RenameFlags};
use rustix::io::Errno;
use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long what cannot be deleted (a mount, an immutable file) is left in peace before the next try.
const RETRY: Duration = Duration::from_secs(60);

/// A directory whose content is being deleted by a background thread of low priority.
#[derive(Debug)]
pub struct Trash {
    dir: PathBuf,
    counter: AtomicU64,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    stop: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    /// How often the directory has got something, and how often that was when the thread last looked.
    filled: u64,
    emptied: u64,
    stuck: HashMap<OsString, Stuck>,
}

#[derive(Debug)]
struct Stuck {
    retry: Instant,
    reasons: Vec<Leftover>,
}

impl Trash {
    /// Makes `dir` if need be, and begins to delete what an earlier process left there.
    ///
    /// One process at a time may have a trash open; whoever opens it holds the lock of the root around it.
    pub fn open(dir: &Path) -> Result<Self> {
        create_dir_all(dir, 0o700)?;
        let shared = Arc::new(Shared::default());
        shared.lock().filled = 1;
        let (worker, path) = (Arc::clone(&shared), dir.to_owned());
        let thread = std::thread::Builder::new()
            .name("trash".to_owned())
            .spawn(move || empty_for_ever(&worker, &path))
            .map_err(at("start a thread for", dir))?;
        Ok(Self { dir: dir.to_owned(), counter: AtomicU64::new(0), shared, thread: Some(thread) })
    }

    /// Takes `path` away: one rename on the caller's side. What does not exist is no error.
    ///
    /// # Errors
    /// `EXDEV` if `path` is on another mount than the trash, `EBUSY` if something is mounted on `path` itself. Mounts
    /// below it are left alone; what holds them stays in the trash until they are gone.
    pub fn discard(&self, path: &Path) -> Result<()> {
        loop {
            let number = self.counter.fetch_add(1, Ordering::Relaxed);
            let name = self.dir.join(format!("{}-{number}", std::process::id()));
            match rustix::fs::renameat_with(CWD, path, CWD, &name, RenameFlags::NOREPLACE) {
                Ok(()) => break,
                Err(Errno::NOENT) => return Ok(()),
                // An earlier process of the same number left it.
                Err(Errno::EXIST) => {}
                Err(error) => return Err(at("discard", path)(error)),
            }
        }
        self.shared.lock().filled += 1;
        self.shared.changed.notify_all();
        Ok(())
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// What could not be deleted at the last try, and why. It is tried again about every minute.
    pub fn stuck(&self) -> Vec<(PathBuf, String)> {
        let state = self.shared.lock();
        let reasons = state.stuck.values().flat_map(|stuck| &stuck.reasons);
        reasons.map(|left| (left.path.clone(), left.error.to_string())).collect()
    }

    /// Waits until everything discarded so far is deleted or stuck; false if that took longer than `limit`.
    pub fn wait_idle(&self, limit: Duration) -> bool {
        let state = self.shared.lock();
        let busy = |state: &mut State| state.emptied < state.filled;
        let waited = self.shared.changed.wait_timeout_while(state, limit, busy);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl Drop for Trash {
    /// Stops between two deletions; the rest is for the next process.
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
        // The flag may have been set just after the thread looked and before it slept: then the lock orders the two.
        drop(self.shared.lock());
        self.shared.changed.notify_all();
        if let Some(Err(_)) = self.thread.take().map(JoinHandle::join) {
            tracing::error!(dir = %self.dir.display(), "the thread that empties the trash panicked");
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

fn empty_for_ever(shared: &Shared, dir: &Path) {
    if let Err(error) = sys::priority::background_thread() {
        tracing::debug!(%error, "the trash is emptied at normal priority");
    }
    while !shared.stopped() {
        let seen = shared.lock().filled;
        empty_once(shared, dir);
        let mut state = shared.lock();
        state.emptied = seen;
        shared.changed.notify_all();
        let idle = |state: &mut State| state.filled == seen && !shared.stopped();
        let next = state.stuck.values().map(|stuck| stuck.retry).min();
        // Without anything stuck nothing is to do until something is discarded.
        let pause = next.map_or(Duration::MAX, |next| next.saturating_duration_since(Instant::now()));
        drop(shared.changed.wait_timeout_while(state, pause, idle));
    }
}

fn empty_once(shared: &Shared, dir: &Path) {
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) => return tracing::warn!(dir = %dir.display(), %error, "the trash cannot be read"),
    };
    let names: HashSet<OsString> = entries.flatten().map(|entry| entry.file_name()).collect();
    let due = {
        let mut state = shared.lock();
        // What somebody else took away must not be waited for.
        state.stuck.retain(|name, _| names.contains(name));
        let now = Instant::now();
        names
            .into_iter()
            .filter(|name| state.stuck.get(name).is_none_or(|stuck| stuck.retry <= now))
            .collect()
    };
    workers::empty(dir, due, &shared.stop, &|name, reasons| note(shared, name, reasons));
}

fn note(shared: &Shared, name: OsString, reasons: Vec<Leftover>) {
    let mut state = shared.lock();
    let known = state.stuck.remove(&name).is_some();
    let Some(first) = reasons.first().filter(|_| !shared.stopped()) else { return };
    if !known {
        tracing::warn!(
            path = %first.path.display(), error = %first.error, more = reasons.len() - 1,
            "cannot be deleted, will be tried again"
        );
    }
    state.stuck.insert(name, Stuck { retry: Instant::now() + RETRY, reasons });
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);

    fn entries(dir: &Path) -> usize {
        std::fs::read_dir(dir).unwrap().count()
    }

    #[test]
    fn what_is_discarded_is_gone_at_once_and_deleted_soon() {
        let dir = tempfile::tempdir().unwrap();
        let trash = Trash::open(&dir.path().join("trash")).unwrap();
        for round in 0..50 {
            let tree = dir.path().join(format!("tree-{round}"));
            std::fs::create_dir_all(tree.join("a/b")).unwrap();
            trash.discard(&tree).unwrap();
            assert!(!tree.exists());
        }
        trash.discard(&dir.path().join("absent")).unwrap();
        assert!(trash.wait_idle(LIMIT));
        assert_eq!(entries(trash.dir()), 0);
    }

    #[test]
    fn leftovers_of_an_earlier_process_are_deleted_at_open() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("trash/1-0/deep")).unwrap();
        let trash = Trash::open(&dir.path().join("trash")).unwrap();
        assert!(trash.wait_idle(LIMIT));
        assert_eq!(entries(trash.dir()), 0);
    }

    #[test]
    fn a_mount_keeps_only_its_own_directory() {
        let dir = tempfile::tempdir().unwrap();
        let mount = dir.path().join("tree/mount");
        std::fs::create_dir_all(&mount).unwrap();
        if rustix::mount::mount_bind(dir.path(), &mount).is_err() {
            std::io::Write::write_all(&mut std::io::stderr(), b"skipped: mounting needs root\n").unwrap();
            return;
        }
        let trash = Trash::open(&dir.path().join("trash")).unwrap();
        trash.discard(&dir.path().join("tree")).unwrap();
        std::fs::create_dir(dir.path().join("other")).unwrap();
        trash.discard(&dir.path().join("other")).unwrap();
        assert!(trash.wait_idle(LIMIT));
        let stuck = trash.stuck();
        let [(path, _)] = &stuck[..] else { panic!("{stuck:?}") };
        assert!(path.ends_with("mount"));
        rustix::mount::unmount(path, rustix::mount::UnmountFlags::DETACH).unwrap();
        assert_eq!(entries(trash.dir()), 1);
        drop(trash);
        let trash = Trash::open(&dir.path().join("trash")).unwrap();
        assert!(trash.wait_idle(LIMIT));
        assert_eq!((entries(trash.dir()), trash.stuck().len()), (0, 0));
    }

    #[test]
    fn another_mount_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let trash = Trash::open(dir.path()).unwrap();
        let error = trash.discard(Path::new("/proc/self/fdinfo")).unwrap_err();
        assert!(error.to_string().starts_with("discard /proc/self"), "{error}");
    }
}
