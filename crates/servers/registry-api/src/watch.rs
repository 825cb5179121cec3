//! A connection that only waits for its client.
//!
//! With HTTP/2 a client can be silent for ever, or leave answers unread behind its window, while its library answers our pings. What
//! counts is whether requests come and answers go.

use crate::pace::LEAST_RATE;
use axum::body::Body;
use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

/// What happens on one connection.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    /// Requests that began or ended, and pieces of answers that were asked for.
    steps: AtomicU64,
    /// Bytes that were written.
    written: AtomicU64,
    /// How much waits for us.
    ours: AtomicUsize,
}

/// Something that waits for us, and not for the client.
#[derive(Debug)]
pub(crate) struct Ours(Arc<Watch>);

impl Watch {
    pub(crate) fn begin(self: &Arc<Self>) -> Ours {
        self.ours.fetch_add(1, Ordering::Relaxed);
        self.step();
        Ours(Arc::clone(self))
    }

    pub(crate) fn wrote(&self, bytes: u64) {
        self.written.fetch_add(bytes, Ordering::Relaxed);
    }

    fn step(&self) {
        self.steps.fetch_add(1, Ordering::Relaxed);
    }

    /// Ends once nothing has waited for us and nothing has happened for `patience`. Pings, which are a few bytes, are nothing.
    pub(crate) async fn forsaken(&self, patience: Duration) {
        let least = LEAST_RATE * patience.as_secs();
        loop {
            let (steps, written) = (self.steps.load(Ordering::Relaxed), self.written.load(Ordering::Relaxed));
            tokio::time::sleep(patience).await;
            let moved = self.written.load(Ordering::Relaxed) - written;
            let idle = self.ours.load(Ordering::Relaxed) == 0;
            if idle && self.steps.load(Ordering::Relaxed) == steps && moved < least {
                return;
            }
        }
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        self.0.ours.fetch_sub(1, Ordering::Relaxed);
        self.0.step();
    }
}

/// An answer under watch: as long as it has nothing to hand out it waits for us, and otherwise for the client.
pub(crate) struct Watched {
    body: Body,
    watch: Arc<Watch>,
    ours: Option<Ours>,
}

impl Watched {
    pub(crate) fn new(body: Body, watch: Arc<Watch>) -> Self {
        Self { body, watch, ours: None }
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            self.ours = None;
            self.watch.step();
        } else if self.ours.is_none() {
            self.ours = Some(self.watch.begin());
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use http_body_util::BodyExt;
    use std::convert::Infallible;
    use tokio::time::{Instant, sleep, timeout};

    const PATIENCE: Duration = Duration::from_secs(60);

    #[tokio::test(start_paused = true)]
    async fn pings_do_not_count_and_answers_do() {
        let watch = Arc::new(Watch::default());
        for (bytes, is_forsaken) in [(17, true), (LEAST_RATE * 60, false)] {
            let forsaken = timeout(PATIENCE * 10, watch.forsaken(PATIENCE));
            tokio::pin!(forsaken);
            let writing = async {
                loop {
                    sleep(PATIENCE / 2).await;
                    watch.wrote(bytes);
                }
            };
            let ended = tokio::select! { ended = &mut forsaken => ended, () = writing => unreachable!() };
            assert_eq!(ended.is_ok(), is_forsaken, "{bytes}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_us_is_no_fault_of_the_client() {
        let watch = Arc::new(Watch::default());
        let pieces = stream::once(async {
            sleep(PATIENCE * 5).await;
            Ok::<_, Infallible>("late")
        });
        let mut answer = Watched::new(Body::from_stream(pieces), Arc::clone(&watch));
        let begun = Instant::now();
        tokio::select! {
            () = watch.forsaken(PATIENCE) => panic!("the answer is not there yet"),
            piece = answer.frame() => assert_eq!(piece.unwrap().unwrap().into_data().unwrap(), "late"),
        }
        // Now it is the client's turn, who never comes back for the end.
        watch.forsaken(PATIENCE).await;
        assert!(begun.elapsed() >= PATIENCE * 6 && begun.elapsed() < PATIENCE * 8, "{:?}", begun.elapsed());
    }
}
