//! A connection that ends when its client neither speaks nor listens.
//!
//! The HTTP library watches over headers once it knows the protocol. Before, while it reads the first bytes, and while it writes, it
//! waits for ever.

use crate::pace::Pace;
use crate::watch::Watch;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

/// As long as the preface of HTTP/2, by which the protocol is known (RFC 9113, section 3.4); no request of a client of a registry is shorter.
const PREFACE: usize = 24;

/// A stream under watch.
pub(crate) struct Guarded<S> {
    stream: S,
    /// Bytes that the client has sent, up to those of a preface.
    heard: usize,
    /// Until when these have to be there.
    greeting: Pin<Box<Sleep>>,
    pace: Pace,
    blocked: Option<Blocked>,
    watch: Arc<Watch>,
}

/// A write that waits for the client.
struct Blocked {
    since: Instant,
    timer: Pin<Box<Sleep>>,
}

impl<S> Guarded<S> {
    /// The client has `greeting` for the first bytes.
    pub(crate) fn new(stream: S, greeting: Duration, watch: Arc<Watch>) -> Self {
        let greeting = Box::pin(sleep(greeting));
        Self { stream, heard: 0, greeting, pace: Pace::default(), blocked: None, watch }
    }

    /// Passes on what a write came to, unless the client takes too little.
    fn paced<T>(
        &mut self,
        context: &mut Context<'_>,
        polled: Poll<io::Result<T>>,
        moved: impl FnOnce(&T) -> u64,
    ) -> Poll<io::Result<T>> {
        match polled {
            Poll::Ready(Ok(value)) => {
                let waited = self.blocked.take().map_or(Duration::ZERO, |blocked| blocked.since.elapsed());
                let moved = moved(&value);
                self.watch.wrote(moved);
                Poll::Ready(if self.pace.keeps_up(waited, moved) { Ok(value) } else { Err(deaf()) })
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => loop {
                let left = self.pace.left();
                let blocked = self
                    .blocked
                    .get_or_insert_with(|| Blocked { since: Instant::now(), timer: Box::pin(sleep(left)) });
                ready!(blocked.timer.as_mut().poll(context));
                let waited = blocked.since.elapsed();
                self.blocked = None;
                if !self.pace.keeps_up(waited, 0) {
                    return Poll::Ready(Err(deaf()));
                }
            },
        }
    }
}

fn deaf() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answer")
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        if self.heard >= PREFACE {
            return polled;
        }
        self.heard += buffer.filled().len() - before;
        if polled.is_pending() {
            ready!(self.greeting.as_mut().poll(context));
            let error = io::Error::new(io::ErrorKind::TimedOut, "the client does not say what it wants");
            return Poll::Ready(Err(error));
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.paced(context, polled, |written| *written as u64)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write_vectored(context, pieces);
        self.paced(context, polled, |written| *written as u64)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_flush(context);
        self.paced(context, polled, |()| 0)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.stream).poll_shutdown(context);
        self.paced(context, polled, |()| 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::{LEAST_RATE, WINDOW};
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_not_waited_for() {
        let (mut client, server) = duplex(100);
        let mut server = Guarded::new(server, WINDOW, Arc::default());
        client.write_all(b"PRI * HTTP/2").await.unwrap();
        let begun = Instant::now();
        let error = server.read_exact(&mut [0; PREFACE]).await.unwrap_err();
        assert_eq!((error.kind(), begun.elapsed()), (io::ErrorKind::TimedOut, WINDOW));
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_spoken_may_be_silent() {
        let (mut client, server) = duplex(100);
        let mut server = Guarded::new(server, WINDOW, Arc::default());
        client.write_all(&[b'x'; PREFACE]).await.unwrap();
        server.read_exact(&mut [0; PREFACE]).await.unwrap();
        let waited = tokio::time::timeout(WINDOW * 5, server.read_u8()).await;
        assert!(waited.is_err(), "{waited:?}");
    }

    /// How a large answer ends for a client that reads so many bytes every ten seconds.
    async fn written_to(rate: usize) -> (io::Result<()>, Duration) {
        let (mut client, server) = duplex(64);
        let mut server = Guarded::new(server, WINDOW, Arc::default());
        let reader = tokio::spawn(async move {
            let mut buffer = vec![0; rate];
            while client.read_exact(&mut buffer).await.is_ok() {
                sleep(WINDOW / 6).await;
            }
        });
        let begun = Instant::now();
        let written = server.write_all(&vec![0; 100_000]).await;
        reader.abort();
        (written, begun.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn answers_that_nobody_reads_end() {
        let least = usize::try_from(LEAST_RATE).unwrap() * 10;
        let (written, took) = written_to(least + 200).await;
        assert!(written.is_ok() && took > WINDOW * 10, "{written:?} after {took:?}");
        for rate in [1, least / 2] {
            let (written, took) = written_to(rate).await;
            assert_eq!(written.unwrap_err().kind(), io::ErrorKind::TimedOut);
            assert!(took >= WINDOW && took < WINDOW * 3, "{took:?}");
        }
    }
}
