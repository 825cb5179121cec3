//! Work that is done again and again.

use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::Instant;

/// Does the work an `interval` after it was last done, the first time an `interval` from now, until nobody else holds what it is for.
/// The interval is asked for anew whenever something has `changed`.
pub(super) async fn each<T>(
    interval: impl Fn(&Arc<T>) -> Duration,
    mut changed: watch::Receiver<()>,
    what: Weak<T>,
    work: impl AsyncFn(Arc<T>),
) {
    let mut done = Instant::now();
    loop {
        let Some(next) = what.upgrade().map(|what| done + interval(&what)) else { return };
        tokio::select! {
            () = tokio::time::sleep_until(next) => {}
            told = changed.changed() => match told {
                Ok(()) => continue,
                // Whoever tells of changes is part of what it is for.
                Err(_) => return,
            },
        }
        let Some(what) = what.upgrade() else { return };
        work(what).await;
        done = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};
    use tokio::time::{sleep, timeout};

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
                let (_telling, changed) = watch::channel(());
                let each = each(|_| INTERVAL, changed, Arc::downgrade(&times), count);
                let ran = timeout(after, each).await;
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
        let (_telling, changed) = watch::channel(());
        let running = tokio::spawn(each(|_| INTERVAL, changed, Arc::downgrade(&times), count));
        sleep(INTERVAL / 2).await;
        drop(times);
        let begun = Instant::now();
        running.await.unwrap();
        assert_eq!(begun.elapsed(), INTERVAL / 2);
    }

    #[tokio::test(start_paused = true)]
    async fn another_interval_counts_at_once_and_from_the_last_time() {
        let times = Arc::new(AtomicU32::new(0));
        let (telling, changed) = watch::channel(());
        let seconds = Arc::new(AtomicU32::new(3600));
        let interval = {
            let seconds = Arc::clone(&seconds);
            move |_: &Arc<AtomicU32>| Duration::from_secs(seconds.load(Ordering::Relaxed).into())
        };
        let work = async |times: Arc<AtomicU32>| {
            times.fetch_add(1, Ordering::Relaxed);
        };
        let what = Arc::downgrade(&times);
        tokio::spawn(async move { each(interval, changed, what, work).await });
        sleep(Duration::from_secs(50)).await;
        seconds.store(60, Ordering::Relaxed);
        telling.send_replace(());
        sleep(Duration::from_secs(9)).await;
        assert_eq!(times.load(Ordering::Relaxed), 0);
        sleep(Duration::from_secs(2)).await;
        assert_eq!(times.load(Ordering::Relaxed), 1);
        sleep(Duration::from_secs(60)).await;
        assert_eq!(times.load(Ordering::Relaxed), 2);
    }
}
