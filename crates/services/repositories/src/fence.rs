//! What stops a sweep from deleting content that somebody is just linking, or was just told is there.
//!
//! Whoever is about to link content says so first and looks whether it is there afterwards. A sweep deletes nothing that was
//! announced lately, and holds the same lock while it deletes: either it sees the announcement, or the one who
//! announced sees that the content is gone.

use oci::Digest;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, MutexGuard};

/// Announcements older than this are forgotten. No sweep looks farther back.
const MEMORY: Duration = Duration::from_secs(3600);

/// So many are kept without looking for old ones.
const FEW: usize = 1024;

/// What was announced, and when.
#[derive(Debug, Default)]
pub(crate) struct Fence {
    announced: Mutex<Announced>,
    sweeping: Mutex<()>,
}

#[derive(Debug, Default)]
struct Announced {
    when: HashMap<Digest, Instant>,
    forget_at: usize,
}

/// A sweep in progress.
#[derive(Debug)]
pub(crate) struct Sweep<'a> {
    fence: &'a Fence,
    /// What was announced since then stays.
    since: Option<Instant>,
    _one: MutexGuard<'a, ()>,
}

impl Fence {
    /// Says that these will be linked, or that a client was told that they are there.
    pub(crate) async fn announce(&self, digests: impl IntoIterator<Item = Digest>) {
        let now = Instant::now();
        let mut announced = self.announced.lock().await;
        announced.when.extend(digests.into_iter().map(|digest| (digest, now)));
        if announced.when.len() > announced.forget_at {
            announced.when.retain(|_, when| now.duration_since(*when) < MEMORY);
            announced.forget_at = FEW.max(2 * announced.when.len());
        }
    }

    /// Begins a sweep that spares what was announced since it began, or `grace` before; after the one in progress.
    pub(crate) async fn sweep(&self, grace: Duration) -> Sweep<'_> {
        let one = self.sweeping.lock().await;
        Sweep { fence: self, since: Instant::now().checked_sub(grace), _one: one }
    }
}

impl Sweep<'_> {
    /// Runs `delete` unless the digest was announced, and says whether it ran. Nobody can announce meanwhile.
    pub(crate) async fn unless_announced<T, E>(
        &self,
        digest: &Digest,
        delete: impl Future<Output = Result<T, E>>,
    ) -> Result<bool, E> {
        let announced = self.fence.announced.lock().await;
        // A machine that runs for less than the grace: everything that was announced was so lately.
        if announced.when.get(digest).is_some_and(|when| self.since.is_none_or(|since| *when >= since)) {
            return Ok(false);
        }
        delete.await?;
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_announced_stays() {
        let (fence, digest) = (Fence::default(), Digest::sha256([1; 32]));
        let nothing = || async { Ok::<_, ()>(()) };
        fence.announce([digest.clone()]).await;
        let sweep = fence.sweep(Duration::ZERO).await;
        assert_eq!(sweep.unless_announced(&digest, nothing()).await, Ok(true), "was before the sweep");
        fence.announce([digest.clone()]).await;
        assert_eq!(sweep.unless_announced(&digest, nothing()).await, Ok(false));
        drop(sweep);
        let sweep = fence.sweep(Duration::from_secs(60)).await;
        assert_eq!(sweep.unless_announced(&digest, nothing()).await, Ok(false), "was lately");
    }
}
