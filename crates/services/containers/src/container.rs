//! One container's live handle.

use crate::{Record, State};
use arc_swap::{ArcSwap, ArcSwapOption};
use ids::ContainerId;
use parking_lot::Mutex;
use runtime::{Attachment, Task};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use tokio::sync::{oneshot, watch};

/// One container: what lists read, and the locks that verbs take.
#[derive(Debug)]
pub struct Container {
    id: ContainerId,
    record: ArcSwap<Record>,
    task: ArcSwapOption<Task>,
    /// One verb at a time. Held for as long as the verb takes, `stop`'s patience included.
    pub verb_lock: tokio::sync::Mutex<()>,
    /// Held while what a run leaves is cleared away, so that the next start waits for that.
    pub cleanup_lock: tokio::sync::Mutex<()>,
    /// Held while somebody beside the container writes to its root file system: shared while it runs, through the
    /// container's own mount; alone while it does not, and by a start. The kernel bears no two mounts of one writable
    /// directory. Taken after the cleanup lock.
    pub root_lock: tokio::sync::RwLock<()>,
    /// Held from the look at the record to the publication of its successor, the store's write in between.
    pub(crate) writing: tokio::sync::Mutex<()>,
    removing: AtomicBool,
    held: AtomicBool,
    /// Whether it was told of this run that the kernel killed something for lack of memory.
    out_of_memory: AtomicBool,
    /// How many runs in a row did not last.
    short_runs: AtomicU32,
    notices: watch::Sender<ExitNotice>,
    pending: Mutex<Vec<PendingAttach>>,
}

/// What waiters watch: counts exits, and says whether the container is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExitNotice {
    /// How many runs ended since the engine knows the container.
    pub exits: u64,
    /// Code of the last run.
    pub code: u32,
    /// What went wrong beside the exit; empty: nothing.
    pub error: String,
    /// Whether the container was removed.
    pub removed: bool,
    /// Why the last attempt to remove it failed; none: there was none, or one is in progress.
    pub removal_failed: Option<String>,
}

/// A client that attached before the start: it gets its streams when there are any.
#[derive(Debug)]
pub struct PendingAttach {
    /// Whether it sends input.
    pub stdin: bool,
    /// Whether it wants standard output.
    pub stdout: bool,
    /// Whether it wants standard error.
    pub stderr: bool,
    /// Takes the streams; dropped when the start fails.
    pub reply: oneshot::Sender<Attachment>,
}

impl Container {
    pub(crate) fn new(record: Record) -> Arc<Self> {
        let exit = record.state.exit();
        let notice = ExitNotice {
            exits: 0,
            code: exit.map_or(0, |exit| exit.code),
            error: exit.map_or_else(String::new, |exit| exit.error.clone()),
            removed: false,
            removal_failed: None,
        };
        Arc::new(Self {
            id: record.id.clone(),
            record: ArcSwap::from_pointee(record),
            task: ArcSwapOption::empty(),
            verb_lock: tokio::sync::Mutex::default(),
            cleanup_lock: tokio::sync::Mutex::default(),
            root_lock: tokio::sync::RwLock::default(),
            writing: tokio::sync::Mutex::default(),
            removing: AtomicBool::new(false),
            held: AtomicBool::new(false),
            out_of_memory: AtomicBool::new(false),
            short_runs: AtomicU32::new(0),
            notices: watch::Sender::new(notice),
            pending: Mutex::default(),
        })
    }

    /// Its id.
    pub fn id(&self) -> &ContainerId {
        &self.id
    }

    /// The record as it is now. Never waits.
    pub fn record(&self) -> Arc<Record> {
        self.record.load_full()
    }

    /// The state as it is now. Never waits.
    pub fn state(&self) -> State {
        self.record.load().state.clone()
    }

    pub(crate) fn publish(&self, record: Record) -> Arc<Record> {
        let record = Arc::new(record);
        self.record.store(Arc::clone(&record));
        record
    }

    /// The running task, if there is one.
    pub fn task(&self) -> Option<Arc<Task>> {
        self.task.load_full()
    }

    /// Sets or clears the running task.
    pub fn set_task(&self, task: Option<Task>) {
        self.task.store(task.map(Arc::new));
    }

    /// Whether a removal is in progress.
    pub fn is_removing(&self) -> bool {
        self.removing.load(Ordering::Acquire)
    }

    /// Marks a removal as begun or given up; answers whether one was in progress before.
    pub fn set_removing(&self, removing: bool) -> bool {
        let before = self.removing.swap(removing, Ordering::AcqRel);
        if removing && !before {
            self.notices.send_modify(|notice| notice.removal_failed = None);
        }
        before
    }

    /// Whether the next exit is part of a verb: neither the restart policy nor `--rm` then acts on it.
    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::Acquire)
    }

    /// See [`Container::is_held`].
    pub fn set_held(&self, held: bool) {
        self.held.store(held, Ordering::Release);
    }

    /// Notes whether it is known of the present run that it ran out of memory; answers whether it was.
    pub fn set_out_of_memory(&self, known: bool) -> bool {
        self.out_of_memory.swap(known, Ordering::AcqRel)
    }

    /// Counts a run that ended and did not last, or begins to count anew with one that did; answers how many there were
    /// before it in a row.
    pub fn count_short_run(&self, lasted: bool) -> u32 {
        if lasted {
            self.short_runs.store(1, Ordering::Relaxed);
            return 0;
        }
        self.short_runs.fetch_add(1, Ordering::Relaxed)
    }

    /// Forgets them: a person started it.
    pub fn forget_short_runs(&self) {
        self.short_runs.store(0, Ordering::Relaxed);
    }

    /// To wait for exits and removal.
    pub fn watch(&self) -> watch::Receiver<ExitNotice> {
        self.notices.subscribe()
    }

    /// Tells waiters that a run ended.
    pub fn notify_exit(&self, code: u32, error: &str) {
        self.notices.send_modify(|notice| {
            notice.exits += 1;
            notice.code = code;
            error.clone_into(&mut notice.error);
        });
    }

    /// Tells waiters that the container is gone.
    pub fn notify_removed(&self) {
        self.notices.send_modify(|notice| notice.removed = true);
    }

    /// Tells waiters that it was to be removed and could not be.
    pub fn notify_removal_failed(&self, reason: &str) {
        self.notices.send_modify(|notice| notice.removal_failed = Some(reason.to_owned()));
    }

    /// Registers a client that attaches before the start, and forgets those that have gone.
    pub fn push_attach(&self, attach: PendingAttach) {
        let mut pending = self.pending.lock();
        pending.retain(|attach| !attach.reply.is_closed());
        pending.push(attach);
    }

    /// The clients that wait for the start.
    pub fn take_attaches(&self) -> Vec<PendingAttach> {
        std::mem::take(&mut *self.pending.lock())
    }
}
