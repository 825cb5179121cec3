//! Work that is done again and again.

use std::sync::{Arc, Weak};
use std::time::Duration;

/// Does the work an `interval` after it was last done, the first time an `interval` from now, until nobody else holds what it is for.
pub(super) async fn each<T>(interval: Duration, what: Weak<T>, work: impl AsyncFn(Arc<T>)) {
    loop {
        tokio::time::sleep(interval).await;
        let Some(what) = what.upgrade() else { return };
        work(what).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::time::{Instant, sleep, timeout};

    const INTERVAL: Duration = Duration::from_secs(300);
    const WORK: Duration = Duration::from_secs(100);

    /// Each time takes a while.
    async fn count(times: Arc<AtomicU32>) {
        sleep(WORK).await;
        times.fetch_add(1, Ordering::Relaxed);
    }

    #[tokio::test(start_paused = true)]
    async fn it_is_done_in_time_and_never_twice_at_once() {
        let times = Arc::new(AtomicU32::new(0));
        let done = |after: Duration| {
            let times = Arc::clone(&times);
            async move {
                times.store(0, Ordering::Relaxed);
                let ran = timeout(after, each(INTERVAL, Arc::downgrade(&times), count)).await;
                assert!(ran.is_err(), "it does not end by itself");
                times.load(Ordering::Relaxed)
            }
        };
        let second = Duration::from_secs(1);
        assert_eq!(done(INTERVAL + WORK - second).await, 0);
        assert_eq!(done(INTERVAL + WORK + second).await, 1);
        assert_eq!(done((INTERVAL + WORK) * 3 + second).await, 3);
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_with_what_it_is_for() {
        let times = Arc::new(AtomicU32::new(0));
        let running = tokio::spawn(each(INTERVAL, Arc::downgrade(&times), count));
        sleep(INTERVAL / 2).await;
        drop(times);
        let begun = Instant::now();
        running.await.unwrap();
        assert_eq!(begun.elapsed(), INTERVAL / 2);
    }
}
