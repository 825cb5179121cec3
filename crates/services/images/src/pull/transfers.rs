//! Layers that are coming from registries: each once, however many pulls wait for it.

use super::fetch::Fetched;
use super::progress::{LayerStep, Progress, Tell};
use crate::records::BlobRecord;
use crate::{ImageError, Images, Result};
use oci::Digest;
use registry::Repository;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// All transfers of one store.
#[derive(Debug)]
pub(crate) struct Transfers {
    going: Mutex<HashMap<Digest, Weak<Transfer>>>,
    /// One for each that may go on at a time.
    places: Semaphore,
}

/// One layer's transfer. It ends when nobody holds it any more.
#[derive(Debug)]
struct Transfer {
    state: watch::Receiver<State>,
    _cancel: DropGuard,
}

#[derive(Debug, Clone)]
enum State {
    Going(LayerStep),
    Done(Arc<Fetched>),
    Failed(Arc<ImageError>),
}

impl Transfers {
    pub(crate) fn new(at_a_time: usize) -> Self {
        Self { going: Mutex::default(), places: Semaphore::new(at_a_time.max(1)) }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Digest, Weak<Transfer>>> {
        self.going.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Images {
    /// Makes a layer be here, by a transfer of its own or by the one that is going on for somebody else.
    pub(crate) async fn transfer(
        &self,
        repository: &Repository,
        blob: &BlobRecord,
        tell: Tell<'_>,
    ) -> Result<Arc<Fetched>> {
        loop {
            let (transfer, ours) = self.join(repository, blob);
            match follow(&transfer, &blob.digest, tell).await {
                // The others may have asked another registry, or as somebody else.
                Err(_) if !ours => {}
                Err(error) => return Err(ImageError::Shared(error)),
                Ok(fetched) => return Ok(fetched),
            }
        }
    }

    /// The transfer of this blob, and whether it was begun now.
    fn join(&self, repository: &Repository, blob: &BlobRecord) -> (Arc<Transfer>, bool) {
        let mut going = self.inner.transfers.lock();
        if let Some(transfer) = going.get(&blob.digest).and_then(Weak::upgrade) {
            return (transfer, false);
        }
        let (tell, state) = watch::channel(State::Going(LayerStep::Waiting));
        let cancel = CancellationToken::new();
        let transfer = Arc::new(Transfer { state, _cancel: cancel.clone().drop_guard() });
        let this_one = Arc::downgrade(&transfer);
        going.retain(|_, transfer| transfer.strong_count() > 0);
        going.insert(blob.digest.clone(), Arc::downgrade(&transfer));
        let (this, repository, blob) = (self.clone(), repository.clone(), blob.clone());
        tokio::spawn(async move {
            let step = |step| {
                tell.send_replace(State::Going(step));
            };
            let fetch = async {
                let _place =
                    this.inner.transfers.places.acquire().await.map_err(|_| ImageError::ShuttingDown)?;
                this.fetch(&repository, &blob, &step).await
            };
            let Some(result) = cancel.run_until_cancelled(fetch).await else { return };
            // Whoever comes from now on begins anew, or finds the layer.
            let mut going = this.inner.transfers.lock();
            if going.get(&blob.digest).is_some_and(|other| other.ptr_eq(&this_one)) {
                going.remove(&blob.digest);
            }
            drop(going);
            tell.send_replace(match result {
                Ok(fetched) => State::Done(Arc::new(fetched)),
                Err(error) => State::Failed(Arc::new(error)),
            });
        });
        (transfer, true)
    }
}

/// Tells what happens until it is over.
async fn follow(
    transfer: &Transfer,
    digest: &Digest,
    tell: Tell<'_>,
) -> Result<Arc<Fetched>, Arc<ImageError>> {
    let mut state = transfer.state.clone();
    loop {
        let now = state.borrow_and_update().clone();
        match now {
            State::Going(LayerStep::Waiting) => {}
            State::Going(step) => tell(Progress::Layer { digest: digest.clone(), step }),
            State::Done(fetched) => return Ok(fetched),
            State::Failed(error) => return Err(error),
        }
        if state.changed().await.is_err() {
            return Err(Arc::new(ImageError::ShuttingDown));
        }
    }
}
