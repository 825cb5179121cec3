//! Ending a thread that waits for what the kernel tells.

use crate::nfnetlink::failed;
use crate::{Error, Result};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

/// Ends a watch when it is dropped.
#[derive(Debug)]
pub struct Stop(Arc<OwnedFd>);

/// The side of who waits.
#[derive(Debug)]
pub(crate) struct Stopped(Arc<OwnedFd>);

/// Both sides.
///
/// # Errors
/// Where the process has no descriptor left.
pub(crate) fn pair() -> Result<(Stopped, Stop)> {
    let event = Arc::new(eventfd(0, EventfdFlags::CLOEXEC).map_err(failed("open"))?);
    Ok((Stopped(Arc::clone(&event)), Stop(event)))
}

impl Stopped {
    /// Blocks until there is something to read; false when the watch is to end.
    pub(crate) fn wait(&self, events: &impl AsFd) -> Result<bool> {
        let mut ready = [PollFd::new(events, PollFlags::IN), PollFd::new(&*self.0, PollFlags::IN)];
        rustix::io::retry_on_intr(|| poll(&mut ready, None)).map_err(failed("read from"))?;
        Ok(ready[1].revents().is_empty())
    }
}

/// Starts a thread that waits for what the kernel tells, and does something about each; it ends when there is nothing more, or with
/// an error, which `complaint` puts into words.
///
/// # Errors
/// Where the host gives no further thread.
pub(crate) fn keep<T>(
    name: &'static str,
    complaint: &'static str,
    mut wait: impl FnMut() -> Result<Option<T>> + Send + 'static,
    mut each: impl FnMut(T) + Send + 'static,
) -> Result<()> {
    let keep = move || {
        loop {
            match wait() {
                Ok(Some(told)) => each(told),
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(error = %errors::chain(&error), "{complaint}");
                    return;
                }
            }
        }
    };
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(keep);
    spawned.map(drop).map_err(|cause| Error::Thread { name, cause })
}

impl Drop for Stop {
    fn drop(&mut self) {
        // Only a counter that is full refuses, and then the watch has long been told.
        let _ = rustix::io::write(&*self.0, &1_u64.to_ne_bytes());
    }
}
