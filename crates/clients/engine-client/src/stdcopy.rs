//! The framing of attach, exec and logs without a terminal: an 8-byte header `[stream, 0, 0, 0, length BE]`.

use crate::error::{Error, Result};
use bytes::{Buf, Bytes, BytesMut};
use std::io;

/// Which stream a frame belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// An error of the daemon itself, sent in place of output.
    System,
}

/// A piece of output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// Where it was written.
    pub stream: StreamKind,
    /// What was written; may be a part of the daemon's frame.
    pub data: Bytes,
}

/// Takes a multiplexed stream apart, whatever pieces it arrives in.
///
/// A frame's data is passed on as it arrives, so memory is bounded by what the caller feeds, never by the
/// length that a header announces.
#[derive(Debug, Default)]
pub struct Demultiplexer {
    buffer: BytesMut,
    current: Option<(StreamKind, usize)>,
}

impl Demultiplexer {
    /// Adds bytes from the connection.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole or partial frame, `None` when more bytes are needed.
    pub fn next_frame(&mut self) -> Result<Option<Frame>> {
        loop {
            if let Some((stream, left)) = self.current.filter(|(_, left)| *left > 0) {
                if self.buffer.is_empty() {
                    return Ok(None);
                }
                let data = self.buffer.split_to(left.min(self.buffer.len())).freeze();
                self.current = Some((stream, left - data.len()));
                return Ok(Some(Frame { stream, data }));
            }
            if self.buffer.len() < 8 {
                return Ok(None);
            }
            let stream = match self.buffer[0] {
                0 | 1 => StreamKind::Stdout,
                2 => StreamKind::Stderr,
                3 => StreamKind::System,
                other => return Err(unknown(other)),
            };
            self.buffer.advance(4);
            self.current = Some((stream, self.buffer.get_u32() as usize));
        }
    }
}

fn unknown(stream: u8) -> Error {
    Error::Stream(io::Error::new(io::ErrorKind::InvalidData, format!("Unrecognized input header: {stream}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_survive_any_split() {
        let wire = b"\x01\0\0\0\0\0\0\x02hi\x02\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\x03err";
        for step in 1..wire.len() {
            let mut demultiplexer = Demultiplexer::default();
            let (mut out, mut err) = (Vec::new(), Vec::new());
            for piece in wire.chunks(step) {
                demultiplexer.feed(piece);
                while let Some(frame) = demultiplexer.next_frame().unwrap() {
                    match frame.stream {
                        StreamKind::Stdout => out.extend_from_slice(&frame.data),
                        _ => err.extend_from_slice(&frame.data),
                    }
                }
            }
            assert_eq!((out.as_slice(), err.as_slice()), (&b"hi"[..], &b"err"[..]), "step {step}");
        }
    }

    #[test]
    fn text_without_framing_is_an_error_not_a_huge_allocation() {
        let mut demultiplexer = Demultiplexer::default();
        demultiplexer.feed(b"plain text without frames");
        assert!(demultiplexer.next_frame().is_err());
    }
}
