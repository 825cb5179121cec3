//! One process of our own shim, as its parent sees it.

use crate::error::{Error, Result};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, pidfd_open, pidfd_send_signal, waitid,
};
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use sys::spawn::{Program, spawn};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// The number under which our shim expects its listening socket.
const LISTENER: i32 = 3;

/// A running shim. Dropping it does not end it: shims outlive the engine.
#[derive(Debug, Clone)]
pub(crate) struct ShimProcess {
    pidfd: Arc<AsyncFd<OwnedFd>>,
}

impl ShimProcess {
    /// Starts `program -namespace … -parent … serve --idle` on a listening socket. Blocks for about a millisecond, until
    /// the exec.
    pub(crate) fn start(program: &Path, namespace: &str, listener: &UnixListener) -> Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let own = std::process::id().to_string();
        let child = spawn(&Program {
            path: program,
            arguments: &["-namespace", namespace, "-parent", &own, "serve", "--idle"].map(OsStr::new),
            environment: &[("PATH", &path)],
            descriptors: &[(listener.as_fd(), LISTENER)],
        });
        let failed = |cause| Error::Spawn { program: program.to_path_buf(), cause };
        let pidfd = watched(child.map_err(failed)?.pidfd).map_err(failed)?;
        let process = Self { pidfd: Arc::new(pidfd) };
        tokio::spawn(process.clone().reap());
        Ok(process)
    }

    /// A shim that another process started: a foreign one, or one of an engine before this.
    pub(crate) fn of(pid: u32) -> io::Result<Self> {
        let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or(io::ErrorKind::InvalidInput)?;
        let pidfd = watched(pidfd_open(pid, PidfdFlags::empty())?)?;
        Ok(Self { pidfd: Arc::new(pidfd) })
    }

    /// Waits for its end; answers whether that came within `limit`.
    pub(crate) async fn ended(&self, limit: Duration) -> bool {
        tokio::time::timeout(limit, self.has_ended()).await.is_ok()
    }

    /// Waits for its end.
    pub(crate) async fn has_ended(&self) {
        if let Err(error) = self.pidfd.readable().await {
            // Only if the program is torn down.
            tracing::debug!(%error, "watch a shim");
            std::future::pending().await
        }
    }

    /// Whether it has not ended yet. Only for one that this process started.
    pub(crate) fn is_alive(&self) -> bool {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        matches!(waitid(WaitId::PidFd(self.pidfd.as_fd()), options), Ok(None))
    }

    /// Ends it at once.
    pub(crate) fn kill(&self) {
        // One that has ended already is as dead as wanted.
        let _ = pidfd_send_signal(&*self.pidfd, Signal::KILL);
    }

    /// Takes the exit status when it comes, so that no zombie stays.
    async fn reap(self) {
        let done = |pidfd: &OwnedFd| {
            let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
            match waitid(WaitId::PidFd(pidfd.as_fd()), options) {
                Ok(Some(_)) => Ok(()),
                Ok(None) => Err(io::ErrorKind::WouldBlock.into()),
                Err(error) => Err(error.into()),
            }
        };
        if let Err(error) = self.pidfd.async_io(Interest::READABLE, done).await {
            tracing::warn!(%error, "wait for the end of a shim");
        }
    }
}

#[expect(
    deprecated,
    reason = "its unsafe replacement asks for a descriptor that stays open: an OwnedFd does"
)]
fn watched(pidfd: OwnedFd) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(pidfd, Interest::READABLE)
}
