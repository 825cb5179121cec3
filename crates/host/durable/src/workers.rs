//! A few threads that empty the trash together and end when nothing is left.

use crate::Leftover;
use crate::remove::remove_shared;
use rustix::fs::{CWD, RenameFlags};
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Enough to hide most of the waiting, few enough to leave the disk to others.
const WORKERS: usize = 4;

/// What is to be deleted. Whoever has a large tree gives directories of it to those who have nothing.
#[derive(Debug)]
struct Queue<'a> {
    state: Mutex<State>,
    changed: Condvar,
    dir: &'a Path,
    stop: &'a AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    names: VecDeque<OsString>,
    /// Workers that look for something to do.
    idle: usize,
}

/// Deletes the entries `names` of `dir` and tells of each what had to stay.
pub(crate) fn empty(
    dir: &Path,
    names: VecDeque<OsString>,
    stop: &AtomicBool,
    done: &(dyn Fn(OsString, Vec<Leftover>) + Sync),
) {
    if names.is_empty() {
        return;
    }
    let queue = Queue { state: Mutex::new(State { names, idle: 0 }), changed: Condvar::new(), dir, stop };
    std::thread::scope(|scope| {
        for _ in 1..WORKERS {
            let helper = std::thread::Builder::new().name("trash".to_owned());
            // Without a helper it takes longer, that is all; but then nobody may wait for it either.
            if helper.spawn_scoped(scope, || queue.work(done)).is_err() {
                queue.lock().idle += 1;
            }
        }
        queue.work(done);
    });
}

impl Queue<'_> {
    fn work(&self, done: &(dyn Fn(OsString, Vec<Leftover>) + Sync)) {
        while let Some(name) = self.next() {
            let removed =
                remove_shared(&self.dir.join(&name), self.stop, &|parent, name| self.offer(parent, name));
            let failed = |error: crate::FileError| vec![Leftover { path: error.path, error: error.source }];
            done(name, removed.unwrap_or_else(failed));
        }
    }

    /// The next entry; none when all workers look for one, since then nobody can offer any more.
    fn next(&self) -> Option<OsString> {
        let mut state = self.lock();
        state.idle += 1;
        loop {
            if self.stop.load(Ordering::Relaxed) {
                break;
            }
            if let Some(name) = state.names.pop_front() {
                state.idle -= 1;
                return Some(name);
            }
            if state.idle == WORKERS {
                break;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        self.changed.notify_all();
        None
    }

    /// Moves a directory of a tree up into the trash, as an entry of its own, if a worker has nothing to do.
    fn offer(&self, parent: BorrowedFd<'_>, name: &OsStr) -> bool {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let mut state = self.lock();
        if state.idle <= state.names.len() {
            return false;
        }
        let part = OsString::from(format!("part-{}", COUNTER.fetch_add(1, Ordering::Relaxed)));
        let target = self.dir.join(&part);
        let moved = rustix::fs::renameat_with(parent, name, CWD, &target, RenameFlags::NOREPLACE).is_ok();
        if moved {
            state.names.push_back(part);
            self.changed.notify_one();
        }
        moved
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_large_tree_is_shared_and_vanishes() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..400 {
            let deep = dir.path().join(format!("tree/{}/{}/{number}", number % 4, number % 20));
            std::fs::create_dir_all(&deep).unwrap();
            std::fs::write(deep.join("file"), b"").unwrap();
        }
        let told = Mutex::new(Vec::new());
        empty(dir.path(), VecDeque::from(["tree".into()]), &AtomicBool::new(false), &|name, left| {
            assert!(left.is_empty(), "{left:?}");
            told.lock().unwrap().push(name);
        });
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(told.into_inner().unwrap().contains(&OsString::from("tree")));
    }

    #[test]
    fn a_stop_ends_it_with_the_rest_in_place() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("tree/below")).unwrap();
        empty(dir.path(), VecDeque::from(["tree".into()]), &AtomicBool::new(true), &|_, _| {});
        assert!(dir.path().join("tree/below").exists());
    }
}
