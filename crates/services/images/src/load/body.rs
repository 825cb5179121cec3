//! A request's body on its way from the async side to a thread that blocks.

use super::turns::Turn;
use crate::{ImageError, Result};
use bytes::{Buf, Bytes, BytesMut};
use std::io::{self, BufRead, Read};
use std::pin::pin;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Size of a piece, and how many may wait.
const PIECE: usize = 128 << 10;
const DEPTH: usize = 8;

/// The blocking end. Its end of file means that the sender has said so; a sender that vanishes is an error.
#[derive(Debug)]
pub(crate) struct Body {
    pieces: Receiver<Bytes>,
    current: Bytes,
    ended: bool,
    turn: Option<Turn>,
}

impl Body {
    pub(crate) fn channel() -> (Sender<Bytes>, Self) {
        let (sender, pieces) = channel(DEPTH);
        (sender, Self { pieces, current: Bytes::new(), ended: false, turn: None })
    }

    /// The same for one of those who take turns: it passes while nothing comes, and is over with the body.
    pub(crate) fn in_turn(self, turn: Turn) -> Self {
        Self { turn: Some(turn), ..self }
    }

    /// The next piece, when it comes.
    fn next(&mut self) -> io::Result<Bytes> {
        let Self { pieces, turn, .. } = self;
        let came = match (pieces.try_recv(), turn) {
            (Ok(piece), _) => Some(piece),
            (Err(_), None) => pieces.blocking_recv(),
            (Err(_), Some(turn)) => turn.pass(|| pieces.blocking_recv()).map_err(io::Error::other)?,
        };
        came.ok_or_else(|| io::ErrorKind::ConnectionAborted.into())
    }

    /// Whether the next look at it brings another piece.
    pub(crate) fn is_drained(&self) -> bool {
        self.current.is_empty() && !self.ended
    }
}

/// Sends all of `source`, then an empty piece. A receiver that has heard enough ends it without an error.
pub(crate) async fn pump(source: impl AsyncRead, sender: Sender<Bytes>) -> Result<()> {
    let mut source = pin!(source);
    let mut buffer = BytesMut::new();
    loop {
        buffer.reserve(PIECE);
        let count = source.read_buf(&mut buffer).await.map_err(ImageError::Body)?;
        if count > 0 && buffer.len() < PIECE / 2 {
            continue;
        }
        for piece in [buffer.split().freeze()].into_iter().filter(|piece| !piece.is_empty()) {
            if sender.send(piece).await.is_err() {
                return Ok(());
            }
        }
        if count == 0 {
            // The receiver may be gone, having found what it wanted.
            let _ = sender.send(Bytes::new()).await;
            return Ok(());
        }
    }
}

impl BufRead for Body {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.current.is_empty() && !self.ended {
            self.current = self.next()?;
            self.ended = self.current.is_empty();
        }
        Ok(&self.current)
    }

    fn consume(&mut self, count: usize) {
        self.current.advance(count);
    }
}

impl Read for Body {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(out.len());
        out[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}
