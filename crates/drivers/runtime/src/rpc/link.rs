//! The way to a shim: its process, its socket, and the connection to it, which is made again when it breaks.
//!
//! A broken connection says nothing about the container. The shim is lost when its process has ended, or, of one that
//! never said which process it is, when nobody listens at its socket: only a process can.

use crate::rpc::connection::Connection;
use crate::shim::ShimProcess;
use crate::socket;
use std::io::{Error, ErrorKind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Between the first attempts to connect again; doubled each time.
const PAUSE: Duration = Duration::from_millis(10);

/// The longest pause between attempts; also before leaving a connection that broke without a single answer.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// The way to a container's shim.
#[derive(Debug)]
pub(crate) struct Link {
    socket: PathBuf,
    process: OnceLock<ShimProcess>,
    connection: Mutex<Arc<Connection>>,
    /// Held by the one that connects again.
    reconnecting: tokio::sync::Mutex<()>,
}

impl Link {
    /// Over a connection to `socket` that exists. Without a process: it is not known (yet).
    pub(crate) fn new(socket: PathBuf, connection: Connection, process: Option<ShimProcess>) -> Self {
        let connection = Mutex::new(Arc::new(connection));
        let process = process.map_or_else(OnceLock::new, OnceLock::from);
        Self { socket, process, connection, reconnecting: tokio::sync::Mutex::default() }
    }

    /// The shim's process, if it is known.
    pub(crate) fn process(&self) -> Option<&ShimProcess> {
        self.process.get()
    }

    /// Says which process the shim is, unless that is known.
    pub(crate) fn learn_process(&self, process: ShimProcess) {
        self.process.get_or_init(|| process);
    }

    /// When the shim last answered a call, over the connection that there is.
    pub(crate) fn answered(&self) -> Option<Instant> {
        self.current().answered()
    }

    /// The connection, made again if it is broken. As long as the shim lives this goes on until it succeeds; callers
    /// limit it.
    ///
    /// # Errors
    /// The shim is gone; how its connection broke.
    pub(crate) async fn connection(&self) -> Result<Arc<Connection>, String> {
        let current = self.current();
        if current.broken().is_none() {
            return Ok(current);
        }
        let _alone = self.reconnecting.lock().await;
        let current = self.current();
        let Some(why) = current.broken() else { return Ok(current) };
        let mut pause = if current.answered().is_some() { Duration::ZERO } else { LONGEST_PAUSE };
        while !self.has_ended(pause).await {
            match socket::connect(&self.socket) {
                Ok(stream) => {
                    let new = Arc::new(Connection::new(stream));
                    *self.lock() = Arc::clone(&new);
                    tracing::warn!(socket = %self.socket.display(), why, "connected again to a living shim");
                    return Ok(new);
                }
                Err(error) if self.process().is_none() && is_nobody(&error) => break,
                Err(error) => {
                    tracing::debug!(socket = %self.socket.display(), %error, "connect again to a living shim");
                }
            }
            pause = (pause * 2).clamp(PAUSE, LONGEST_PAUSE);
        }
        Err(why)
    }

    /// Waits for the shim's end for at most `limit`; never, where its process is not known.
    pub(crate) async fn has_ended(&self, limit: Duration) -> bool {
        match self.process() {
            Some(process) => process.ended(limit).await,
            None => {
                tokio::time::sleep(limit).await;
                false
            }
        }
    }

    fn current(&self) -> Arc<Connection> {
        Arc::clone(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether nobody listens at a socket that could not be connected to: not the same as one who is slow to accept.
pub(crate) fn is_nobody(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::NotFound)
}
