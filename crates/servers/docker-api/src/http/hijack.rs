//! Taking a connection away from HTTP, as attach and exec do.
//!
//! Docker's protocol allows it with `Upgrade: tcp` (answer 101) and without (answer 200, then bytes until the
//! end), which no HTTP library offers as an upgrade. So the handler asks the task that drives the connection
//! ([`crate::http::connection`]) to take it apart and hand over the raw stream.

use crate::http::answer::Refusal;
use crate::http::version::ApiVersion;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use bytes::{Buf, Bytes};
use errors::{Class, Error};
use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::{mpsc, oneshot};

/// Any byte stream in both directions.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that is no longer HTTP.
pub(crate) struct Raw {
    /// What the client sent early, not read yet.
    early: Bytes,
    stream: Box<dyn Stream>,
}

impl Raw {
    /// `early` comes before what `stream` yields.
    pub(crate) fn new(early: Bytes, stream: Box<dyn Stream>) -> Self {
        Self { early, stream }
    }

    /// Returns once the client has closed its connection. One that only sends no more has not: that is how `docker run
    /// -i` ends the input, so reading can't tell. Writing nothing can, on sockets whose other end is closed or reset;
    /// it sends no byte.
    pub(crate) async fn gone(&mut self) {
        while self.stream.write(&[]).await.is_ok() {
            tokio::time::sleep(GONE).await;
        }
    }
}

/// How often to look whether a client is still there.
const GONE: Duration = Duration::from_secs(5);

impl AsyncRead for Raw {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.stream).poll_read(context, buffer);
        }
        let length = self.early.len().min(buffer.remaining());
        buffer.put_slice(&self.early[..length]);
        self.early.advance(length);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Raw {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// What the connection's task sends its raw stream through.
pub(crate) type Request = oneshot::Sender<Raw>;

/// The right of one request to take its connection away.
#[derive(Debug, Clone)]
pub(crate) struct Hijack {
    upgrade: bool,
    requests: Option<mpsc::Sender<Request>>,
}

/// How the bytes that follow are to be understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// As they are: there is a terminal.
    Raw,
    /// In frames that name their stream.
    Multiplexed,
}

const RAW_STREAM: &str = "application/vnd.docker.raw-stream";
const MULTIPLEXED_STREAM: &str = "application/vnd.docker.multiplexed-stream";

impl Framing {
    /// Of a process with or without a terminal.
    pub(crate) fn of(terminal: bool) -> Self {
        if terminal { Self::Raw } else { Self::Multiplexed }
    }

    /// The media type; before API 1.42 both had the same.
    pub(crate) fn media_type(self, version: ApiVersion) -> &'static str {
        match self {
            Self::Multiplexed if version.at_least(42) => MULTIPLEXED_STREAM,
            Self::Raw | Self::Multiplexed => RAW_STREAM,
        }
    }
}

impl Hijack {
    /// Takes the connection and writes the head of the answer.
    pub(crate) async fn take(self, version: ApiVersion, framing: Framing) -> Result<Raw, Refusal> {
        let mut raw = self.connection().await?;
        raw.write_all(head(self.upgrade, version, framing).as_bytes())
            .await
            .map_err(|error| Error::wrap(Class::Unavailable, error).context("answer the client"))?;
        Ok(raw)
    }

    async fn connection(&self) -> Result<Raw, Error> {
        let unavailable = || Error::new(Class::Internal, "this connection cannot be taken over");
        let requests = self.requests.as_ref().ok_or_else(unavailable)?;
        let (sender, receiver) = oneshot::channel();
        requests.send(sender).await.map_err(|_| unavailable())?;
        receiver.await.map_err(|_| unavailable())
    }
}

/// The answer's head, in Docker's form and with the headers that every answer carries.
fn head(upgrade: bool, version: ApiVersion, framing: Framing) -> String {
    let mut head = if upgrade {
        let media_type = framing.media_type(version);
        format!(
            "HTTP/1.1 101 UPGRADED\r\nContent-Type: {media_type}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        )
    } else {
        format!("HTTP/1.1 200 OK\r\nContent-Type: {RAW_STREAM}\r\n")
    };
    for (name, value) in crate::http::dispatch::COMMON_HEADERS {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    head
}

fn wants_upgrade(headers: &HeaderMap) -> bool {
    headers.contains_key(header::UPGRADE)
}

impl<S: Sync> FromRequestParts<S> for Hijack {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let requests = parts.extensions.get::<mpsc::Sender<Request>>().cloned();
        Ok(Self { upgrade: wants_upgrade(&parts.headers), requests })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_clients_know_one_media_type() {
        let (old, new) = (ApiVersion::new(1, 41), ApiVersion::new(1, 42));
        assert_eq!(Framing::of(false).media_type(old), "application/vnd.docker.raw-stream");
        assert_eq!(Framing::of(false).media_type(new), "application/vnd.docker.multiplexed-stream");
        assert_eq!(Framing::of(true).media_type(new), "application/vnd.docker.raw-stream");
    }
    #[tokio::test(start_paused = true)]
    async fn a_client_is_gone_when_it_closes_and_not_when_it_ends_its_input() {
        let (ours, mut client) = tokio::net::UnixStream::pair().unwrap();
        let mut raw = Raw::new(Bytes::new(), Box::new(ours));
        client.shutdown().await.unwrap();
        assert!(tokio::time::timeout(4 * GONE, raw.gone()).await.is_err());
        drop(client);
        tokio::time::timeout(4 * GONE, raw.gone()).await.unwrap();
    }
}
