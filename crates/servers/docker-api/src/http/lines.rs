//! Answers that grow: lines of JSON, frames of log lines. They end when the client goes or the engine shuts down.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use serde::Serialize;
use std::convert::Infallible;
use tokio_util::sync::CancellationToken;

/// How many pieces that are ready at once go out as one.
const BATCH: usize = 64;

/// 200, and a body of these pieces. The head is sent at once, before the first piece is there.
pub(crate) fn growing<S>(media_type: &'static str, pieces: S, shutdown: CancellationToken) -> Response
where
    S: Stream<Item = Bytes> + Send + 'static,
{
    let pieces = pieces.ready_chunks(BATCH).map(join).take_until(shutdown.cancelled_owned());
    let body = Body::from_stream(pieces.map(Ok::<_, Infallible>));
    (StatusCode::OK, [(header::CONTENT_TYPE, media_type)], body).into_response()
}

fn join(mut pieces: Vec<Bytes>) -> Bytes {
    if pieces.len() == 1 {
        return pieces.remove(0);
    }
    let mut joined = BytesMut::with_capacity(pieces.iter().map(Bytes::len).sum());
    for piece in pieces {
        joined.extend_from_slice(&piece);
    }
    joined.freeze()
}

/// A line of JSON.
pub(crate) fn line<T: Serialize>(value: &T) -> Bytes {
    let mut text = serde_json::to_vec(value).unwrap_or_else(|error| {
        tracing::error!(error = %error, "write a line of an answer");
        Vec::new()
    });
    text.push(b'\n');
    text.into()
}

/// Frames of the Engine API's stream format.
pub(crate) mod frame {
    use bytes::{BufMut, Bytes, BytesMut};

    /// Standard output.
    pub(crate) const STDOUT: u8 = 1;
    /// Standard error.
    pub(crate) const STDERR: u8 = 2;

    /// Bytes before a frame's payload: stream, three zeros, length.
    pub(crate) const HEADER: usize = 8;

    /// One frame of the concatenated `parts`.
    pub(crate) fn of(stream: u8, parts: &[&[u8]]) -> Bytes {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let mut frame = BytesMut::with_capacity(HEADER + length);
        frame.put_slice(&[stream, 0, 0, 0]);
        frame.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
        parts.iter().for_each(|part| frame.put_slice(part));
        frame.freeze()
    }

    /// Takes the frames off a stream that arrives in pieces.
    #[derive(Debug, Default)]
    pub(crate) struct Unframe {
        header: Vec<u8>,
        left: usize,
    }

    impl Unframe {
        /// The payload in the next piece, of whatever stream.
        pub(crate) fn feed(&mut self, mut piece: &[u8]) -> Vec<u8> {
            let mut payload = Vec::with_capacity(piece.len());
            while !piece.is_empty() {
                if self.left == 0 {
                    let missing = (HEADER - self.header.len()).min(piece.len());
                    self.header.extend_from_slice(&piece[..missing]);
                    piece = &piece[missing..];
                    if let [_, _, _, _, length @ ..] = self.header.as_slice()
                        && let Ok(length) = <[u8; 4]>::try_from(length)
                    {
                        self.left = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
                        self.header.clear();
                    }
                    continue;
                }
                let length = self.left.min(piece.len());
                payload.extend_from_slice(&piece[..length]);
                self.left -= length;
                piece = &piece[length..];
            }
            payload
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn frames_are_made_and_taken_off_in_any_pieces() {
            let mut bytes = of(STDOUT, &[b"he", b"llo"]).to_vec();
            assert_eq!(bytes, b"\x01\0\0\0\0\0\0\x05hello");
            bytes.extend_from_slice(&of(STDERR, &[]));
            bytes.extend_from_slice(&of(STDERR, &[b" world"]));
            for size in 1..bytes.len() {
                let mut unframe = Unframe::default();
                let payload: Vec<u8> = bytes.chunks(size).flat_map(|piece| unframe.feed(piece)).collect();
                assert_eq!(payload, b"hello world", "pieces of {size}");
            }
        }
    }
}
