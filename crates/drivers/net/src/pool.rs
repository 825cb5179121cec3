//! Namespaces prepared ahead, so that the start of a container waits for none.

use crate::namespace::{Namespace, Settings};
use crate::{Error, Result};
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

/// How far behind the foreground the thread that prepares stands (`nice`).
const NICENESS: i32 = 10;

/// A store of prepared namespaces that fills itself up in the background.
///
/// Nothing of it outlives the process: a namespace is a descriptor, and the kernel reaps what nobody holds.
#[derive(Debug)]
pub struct Pool {
    shared: Arc<Shared>,
    worker: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    settings: Settings,
    size: usize,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    ready: VecDeque<Namespace>,
    closed: bool,
}

impl Pool {
    /// Starts to prepare `size` namespaces with the calling thread's as home; 0: none are prepared.
    pub fn open(size: usize, settings: Settings) -> Result<Self> {
        let shared = Arc::new(Shared { settings, size, state: Mutex::default(), changed: Condvar::new() });
        let worker = if size == 0 { None } else { Some(spawn(Arc::clone(&shared))?) };
        Ok(Self { shared, worker })
    }

    /// A prepared namespace if there is one; never blocks.
    pub fn take_prepared(&self) -> Option<Namespace> {
        let prepared = self.shared.state.lock().ready.pop_front();
        self.shared.changed.notify_all();
        prepared
    }

    /// A prepared namespace, or one made now when none is left.
    pub fn take(&self) -> Result<Namespace> {
        match self.take_prepared() {
            Some(namespace) => Ok(namespace),
            None => Namespace::make(self.shared.settings),
        }
    }

    /// One that another has just made, prepared like these.
    pub fn adopt(&self, namespace: OwnedFd) -> Result<Namespace> {
        Namespace::adopt(namespace, self.shared.settings)
    }

    /// How many are prepared now.
    pub fn ready(&self) -> usize {
        self.shared.state.lock().ready.len()
    }

    /// Lets go of the prepared ones and prepares no more.
    pub fn close(&self) {
        let mut state = self.shared.state.lock();
        state.closed = true;
        state.ready.clear();
        self.shared.changed.notify_all();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
        if let Some(worker) = self.worker.take() {
            // It panics nowhere; and if it did, there is nothing to be saved here.
            let _ = worker.join();
        }
    }
}

fn spawn(shared: Arc<Shared>) -> Result<JoinHandle<()>> {
    let home = Namespace::current()?;
    let name = "netns-pool";
    let thread = thread::Builder::new().name(name.to_owned());
    thread.spawn(move || prepare(&shared, &home)).map_err(|cause| Error::Thread { name, cause })
}

fn prepare(shared: &Shared, home: &Namespace) {
    if let Err(error) = rustix::process::setpriority_process(None, NICENESS) {
        tracing::debug!(%error, "namespaces are prepared at the foreground's priority");
    }
    while shared.wait_for_room() {
        match Namespace::make_and_return(shared.settings, home) {
            Ok(namespace) => shared.put(namespace),
            Err(error) => {
                tracing::warn!(error = %errors::chain(&error), "no network namespace could be prepared");
                if matches!(error, Error::Namespace { action: "return from", .. }) {
                    return;
                }
                shared.wait_for_change();
            }
        }
    }
}

impl Shared {
    /// Waits until one is missing; false when the pool is closed.
    fn wait_for_room(&self) -> bool {
        let mut state = self.state.lock();
        while !state.closed && state.ready.len() >= self.size {
            self.changed.wait(&mut state);
        }
        !state.closed
    }

    fn wait_for_change(&self) {
        let mut state = self.state.lock();
        if !state.closed {
            self.changed.wait(&mut state);
        }
    }

    fn put(&self, namespace: Namespace) {
        let mut state = self.state.lock();
        if !state.closed {
            state.ready.push_back(namespace);
        }
    }
}
