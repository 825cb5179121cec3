//! Shims that wait ready for a container, so that none has to be started while a client waits.
//!
//! Each listens at `<state>/shims/<n>.sock` and is connected to already; when a container takes it, its socket is
//! renamed into the bundle. An idle shim whose connection closes ends itself, so none outlives the engine.

use crate::config::Config;
use crate::error::{Error, Result};
use crate::rpc::connection::Connection;
use crate::shim::ShimProcess;
use crate::socket;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;

/// After a failure to start one.
const RETRY: Duration = Duration::from_secs(1);

/// A shim without a container.
pub(crate) struct IdleShim {
    socket: PathBuf,
    pub(crate) connection: Connection,
    pub(crate) process: ShimProcess,
}

impl IdleShim {
    /// Gives it its place in a bundle.
    pub(crate) fn move_to(&mut self, path: &Path) -> Result<()> {
        std::fs::rename(&self.socket, path).map_err(|cause| Error::File {
            action: "move a shim's socket to",
            path: path.to_path_buf(),
            cause,
        })?;
        self.socket = path.to_path_buf();
        Ok(())
    }

    /// Ends it, with its socket.
    pub(crate) fn discard(&self) {
        self.process.kill();
        let _ = std::fs::remove_file(&self.socket);
    }
}

/// The waiting shims.
pub(crate) struct IdlePool {
    program: PathBuf,
    namespace: String,
    directory: PathBuf,
    wanted: usize,
    numbers: AtomicU64,
    ready: Mutex<VecDeque<IdleShim>>,
    taken: Notify,
}

impl std::fmt::Debug for IdlePool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdlePool").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

impl IdlePool {
    /// An empty pool; [`IdlePool::keep_full`] fills it. Sockets of a previous engine are removed: their shims ended
    /// with it.
    pub(crate) fn open(config: &Config) -> Result<Arc<Self>> {
        let directory = config.state_dir.join("shims");
        let failed = |action| {
            let path = directory.clone();
            move |cause| Error::File { action, path, cause }
        };
        std::fs::create_dir_all(&directory).map_err(failed("create"))?;
        for entry in std::fs::read_dir(&directory).map_err(failed("list"))?.flatten() {
            let _ = std::fs::remove_file(entry.path());
        }
        Ok(Arc::new(Self {
            program: config.shim.clone(),
            namespace: config.namespace.clone(),
            directory,
            wanted: config.idle_shims,
            numbers: AtomicU64::new(0),
            ready: Mutex::new(VecDeque::new()),
            taken: Notify::new(),
        }))
    }

    /// A ready shim, or one started now.
    pub(crate) async fn take(self: &Arc<Self>) -> Result<IdleShim> {
        loop {
            let shim = self.lock().pop_front();
            self.taken.notify_one();
            match shim {
                Some(shim) if shim.process.is_alive() => return Ok(shim),
                Some(dead) => dead.discard(),
                None => return self.start().await,
            }
        }
    }

    /// Keeps the wanted number ready, until the task is aborted.
    pub(crate) async fn keep_full(self: Arc<Self>) {
        loop {
            while self.lock().len() < self.wanted {
                match self.start().await {
                    Ok(shim) => self.lock().push_back(shim),
                    Err(error) => {
                        tracing::warn!(error = errors::chain(&error), "start an idle shim");
                        tokio::time::sleep(RETRY).await;
                    }
                }
            }
            self.taken.notified().await;
        }
    }

    /// Ends all waiting shims.
    pub(crate) fn clear(&self) {
        for shim in self.lock().drain(..) {
            shim.discard();
        }
    }

    async fn start(self: &Arc<Self>) -> Result<IdleShim> {
        let pool = Arc::clone(self);
        let runtime = tokio::runtime::Handle::current();
        offload::blocking(move || {
            let _context = runtime.enter();
            pool.start_blocking()
        })
        .await
    }

    fn start_blocking(&self) -> Result<IdleShim> {
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let path = self.directory.join(format!("{number}.sock"));
        let failed = |action| {
            let path = path.clone();
            move |cause| Error::File { action, path, cause }
        };
        let listener = socket::bind(&path).map_err(failed("listen on"))?;
        let process = ShimProcess::start(&self.program, &self.namespace, &listener)?;
        let connection = Connection::new(socket::connect(&path).map_err(failed("connect to"))?);
        Ok(IdleShim { socket: path, connection, process })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<IdleShim>> {
        self.ready.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
