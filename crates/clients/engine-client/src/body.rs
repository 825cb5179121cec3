//! Request bodies: nothing, bytes, or something large read piece by piece.

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Frame;
use std::io::{self, Read};
use tokio::sync::mpsc;

/// What every request carries in the end.
pub(crate) type Body = UnsyncBoxBody<Bytes, io::Error>;

/// Piece size of an upload: large enough that a syscall's cost does not show.
const PIECE: usize = 128 * 1024;

/// A body that is too large for memory, sent chunked.
#[derive(Debug)]
pub struct Upload(mpsc::Receiver<io::Result<Bytes>>);

impl Upload {
    /// Reads `source` on a thread of its own, at most a few pieces ahead of the connection.
    ///
    /// The thread is never joined: a `read` from a terminal or a pipe may never return.
    pub fn from_reader(mut source: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = mpsc::channel(4);
        std::thread::spawn(move || {
            loop {
                let mut piece = vec![0; PIECE];
                let sent = match source.read(&mut piece) {
                    Ok(0) => return,
                    Ok(length) => {
                        piece.truncate(length);
                        sender.blocking_send(Ok(piece.into()))
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => {
                        // The connection reports the failure; nobody is left to tell otherwise.
                        sender.blocking_send(Err(error)).ok();
                        return;
                    }
                };
                if sent.is_err() {
                    return;
                }
            }
        });
        Self(receiver)
    }

    /// Whatever is sent through the channel, for bodies that are made while they are sent.
    pub fn from_channel(receiver: mpsc::Receiver<io::Result<Bytes>>) -> Self {
        Self(receiver)
    }

    pub(crate) fn into_body(self) -> Body {
        let pieces = futures_util::stream::unfold(self.0, async |mut receiver| {
            receiver.recv().await.map(|piece| (piece, receiver))
        });
        StreamBody::new(pieces.map(|piece| piece.map(Frame::data))).boxed_unsync()
    }
}

pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

pub(crate) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).map_err(|never| match never {}).boxed_unsync()
}
