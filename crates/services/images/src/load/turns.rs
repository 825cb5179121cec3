//! Only a few archives are read at a time, and one whose client sends nothing is not being read.

use crate::{ImageError, Result};
use std::sync::Arc;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many archives are read at a time. Each costs the memory of a decompressor and keeps a processor busy.
const READERS: usize = 4;

/// The turns of those who read archives.
#[derive(Debug, Clone)]
pub(crate) struct Turns(Arc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(READERS)))
    }
}

impl Turns {
    /// Waits until another archive may be read.
    pub(crate) async fn take(&self) -> Result<Turn> {
        let permit = acquire(&self.0).await?;
        Ok(Turn { turns: self.clone(), permit: Some(permit), runtime: Handle::current() })
    }
}

async fn acquire(turns: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit> {
    Arc::clone(turns).acquire_owned().await.map_err(|_| ImageError::ShuttingDown)
}

/// Somebody's turn, until it is dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    permit: Option<OwnedSemaphorePermit>,
    runtime: Handle,
}

impl Turn {
    /// Lets others go first while `wait` blocks. Not for threads of the runtime.
    pub(crate) fn pass<T>(&mut self, wait: impl FnOnce() -> T) -> Result<T> {
        self.permit = None;
        let waited = wait();
        self.permit = Some(self.runtime.block_on(acquire(&self.turns.0))?);
        Ok(waited)
    }
}
