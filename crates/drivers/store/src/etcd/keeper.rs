//! The task that keeps the lock and the mirror, and brings both back when etcd was away.

use super::client::Failure;
use super::follow::{self, End, Follow};
use super::{Shared, Status};
use crate::{Result, Revision, StoreError};
use std::sync::Arc;
use std::time::Duration;

/// Between two tries to reach a server that does not answer, at first and at most.
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Follows etcd until the task is ended; `follow` is where the opening of the store left off.
pub(super) async fn keep(shared: Arc<Shared>, follow: Follow) {
    let mut following = Some(follow);
    let mut pause = PAUSE;
    let mut was_away = false;
    loop {
        let ended = match following.take() {
            Some(follow) => run(&shared, follow).await,
            None => match recover(&shared).await {
                Ok(follow) => {
                    tracing::info!(etcd = shared.client.places(), "the state store answers again");
                    following = Some(follow);
                    (pause, was_away) = (PAUSE, false);
                    continue;
                }
                Err(error) => error,
            },
        };
        if !was_away {
            tracing::warn!(error = %errors::chain(&ended), "the state store is away: nothing can be changed until it is back");
        }
        was_away = true;
        shared.status.send_replace(Status::Away(Arc::new(ended)));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// As long as all is well.
async fn run(shared: &Shared, mut follow: Follow) -> StoreError {
    // A third, so that one lost request does not lose the lock.
    let mut renewal = tokio::time::interval(shared.lease / 3);
    renewal.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    renewal.reset();
    loop {
        tokio::select! {
            step = follow.step(shared) => if let Err(end) = step {
                return follow::told(shared, end);
            },
            _ = renewal.tick() => match shared.lock.renew(&shared.client).await {
                Ok(true) => {}
                Ok(false) => return shared.lock.held(None),
                Err(failure) => return shared.client.error("keep the lock", failure),
            },
            why = shared.away() => return why,
        }
    }
}

/// Takes the lock again, then catches up with what came before that.
async fn recover(shared: &Shared) -> Result<Follow> {
    let fence = shared.lock.take(&shared.client).await?;
    let follow = match catch_up(shared, fence).await {
        Err(End::Compacted) => {
            tracing::warn!("etcd no longer has all changes: the records are listed again");
            shared.mirror.replace(follow::list(shared).await?);
            catch_up(shared, 0).await
        }
        other => other,
    };
    let follow = follow.map_err(|end| follow::told(shared, end))?;
    shared.status.send_replace(Status::Ready(fence));
    Ok(follow)
}

/// Follows on from where the mirror is, and sees the change at `fence`.
async fn catch_up(shared: &Shared, fence: Revision) -> Result<Follow, End> {
    let from = shared.mirror.read().revision;
    let mut follow = Follow::open(shared, from).await?;
    while follow.seen < fence {
        let step = tokio::time::timeout(shared.patience, follow.step(shared)).await;
        step.unwrap_or_else(|_| {
            let reason = "the watch does not catch up".to_owned();
            Err(End::Failed(Failure::Silent { reason, unknown: false }))
        })?;
    }
    Ok(follow)
}

/// The first time: the lock, everything, and the watch from there.
pub(super) async fn begin(shared: &Shared) -> Result<Follow> {
    let fence = shared.lock.take(&shared.client).await?;
    let records = follow::list(shared).await?;
    let from = records.revision;
    shared.mirror.replace(records);
    let follow = Follow::open(shared, from).await.map_err(|end| follow::told(shared, end))?;
    shared.status.send_replace(Status::Ready(fence));
    Ok(follow)
}
