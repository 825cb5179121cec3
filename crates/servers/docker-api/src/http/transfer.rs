//! Bodies between async connections and threads that read and write them blockingly.

use crate::http::answer::Answer;
use axum::body::Body;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse;
use bytes::{Buf, Bytes};
use errors::{Class, Error};
use futures_util::{StreamExt, stream};
use std::io::{self, BufRead, Read, Write};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Pieces that may wait between the two. Those of archives have 64 KiB.
const DEPTH: usize = 8;

/// The writing end of a body. Writing fails once the client is gone.
#[derive(Debug)]
pub(crate) struct Outgoing(Sender<Bytes>);

/// What [`Outgoing`] has written.
#[derive(Debug)]
pub(crate) struct Written(Receiver<Bytes>);

/// Both ends of a body.
pub(crate) fn outgoing() -> (Outgoing, Written) {
    let (sender, receiver) = channel(DEPTH);
    (Outgoing(sender), Written(receiver))
}

impl Write for Outgoing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0
            .blocking_send(Bytes::copy_from_slice(bytes))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A tar archive that `writing` writes to the other end, once its first piece is there. What goes wrong before that is
/// told by the status; afterwards the body breaks off, so that the client sees that it is not whole.
pub(crate) async fn archive(
    written: Written,
    headers: HeaderMap,
    writing: impl Future<Output = Result<(), Error>> + Send + 'static,
) -> Answer {
    let Written(mut pieces) = written;
    let verdict = tokio::spawn(writing);
    let Some(first) = pieces.recv().await else {
        verdict.await.map_err(|error| Error::wrap(Class::Internal, error).context("write the archive"))??;
        return Err(Error::new(Class::Internal, "the archive is empty").into());
    };
    let rest =
        stream::unfold(pieces, |mut pieces| async { pieces.recv().await.map(|piece| (piece, pieces)) });
    let end = stream::once(async {
        match verdict.await {
            Ok(Ok(())) => Ok(Bytes::new()),
            Ok(Err(error)) => {
                tracing::warn!(%error, "an archive broke off");
                Err(io::Error::other(error.to_string()))
            }
            Err(error) => Err(io::Error::other(error)),
        }
    });
    let pieces = stream::iter([first]).chain(rest).map(Ok).chain(end);
    let mut response = Body::from_stream(pieces).into_response();
    response.headers_mut().extend(headers);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/x-tar"));
    Ok(response)
}

/// The reading end of a request's body. A body that breaks off is an error, so that half of it is never taken for the
/// whole.
#[derive(Debug)]
pub(crate) struct Upload {
    /// An empty piece is the end.
    pieces: Receiver<io::Result<Bytes>>,
    current: Bytes,
    ended: bool,
}

impl Upload {
    /// Of a body that is read from now on, as fast as this is.
    pub(crate) fn new(body: Body) -> Self {
        let (sender, pieces) = channel(DEPTH);
        tokio::spawn(async move {
            let mut stream = body.into_data_stream();
            while let Some(piece) = stream.next().await {
                let piece = piece.map_err(io::Error::other);
                let last = piece.is_err();
                // A reader that is gone has heard enough.
                if piece.as_ref().is_ok_and(Bytes::is_empty) {
                    continue;
                }
                if sender.send(piece).await.is_err() || last {
                    return;
                }
            }
            let _ = sender.send(Ok(Bytes::new())).await;
        });
        Self { pieces, current: Bytes::new(), ended: false }
    }
}

impl BufRead for Upload {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.current.is_empty() && !self.ended {
            let next = self.pieces.blocking_recv();
            self.current = next.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionAborted))??;
            self.ended = self.current.is_empty();
        }
        Ok(&self.current)
    }

    fn consume(&mut self, count: usize) {
        self.current.advance(count);
    }
}

impl Read for Upload {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(out.len());
        out[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    #[tokio::test]
    async fn what_is_written_is_the_body() {
        let (mut outgoing, written) = outgoing();
        let writing = async {
            let write = move || outgoing.write_all(b"one").and_then(|()| outgoing.write_all(b"two"));
            tokio::task::spawn_blocking(write).await.unwrap().unwrap();
            Ok(())
        };
        let response = archive(written, HeaderMap::new(), writing).await.unwrap();
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/x-tar");
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "onetwo");
    }

    #[tokio::test]
    async fn failures_are_told_by_the_status_or_break_the_body_off() {
        let failure = || Error::new(Class::NotFound, "gone");
        let (nothing, written) = outgoing();
        drop(nothing);
        let refused = archive(written, HeaderMap::new(), async move { Err(failure()) }).await.unwrap_err();
        assert_eq!(refused.0.class(), Class::NotFound);
        let (mut outgoing, written) = outgoing();
        let writing = async move {
            tokio::task::spawn_blocking(move || outgoing.write_all(b"half")).await.unwrap().unwrap();
            Err(failure())
        };
        let response = archive(written, HeaderMap::new(), writing).await.unwrap();
        assert!(response.into_body().collect().await.is_err());
    }

    #[tokio::test]
    async fn an_upload_is_read_to_its_end_and_half_of_it_is_an_error() {
        let read = |pieces: Vec<io::Result<&'static str>>| async {
            let mut upload = Upload::new(Body::from_stream(stream::iter(pieces)));
            tokio::task::spawn_blocking(move || io::read_to_string(&mut upload)).await.unwrap()
        };
        assert_eq!(read(vec![Ok("a"), Ok(""), Ok("bc")]).await.unwrap(), "abc");
        assert_eq!(read(vec![]).await.unwrap(), "");
        assert!(read(vec![Ok("a"), Err(io::Error::other("gone"))]).await.is_err());
    }
}
