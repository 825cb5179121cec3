//! Buffers from the thread that decompresses to the thread that writes files, and back for the next use.

use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SendError, Sender, SyncSender, channel, sync_channel};

/// Size of a buffer, and how many may wait: two megabytes between the threads.
const SIZE: usize = 128 << 10;
const DEPTH: usize = 16;

/// Both ends of a pipe.
pub(crate) fn pipe() -> (Sending, Receiving) {
    let (full, incoming) = sync_channel(DEPTH);
    let (empty, returned) = channel();
    (Sending { full, returned }, Receiving { incoming, empty, buffer: Vec::new(), position: 0, ended: false })
}

/// The end that gives buffers. An end without [`Sending::finish`] is an error on the other side.
pub(crate) struct Sending {
    full: SyncSender<Vec<u8>>,
    returned: Receiver<Vec<u8>>,
}

/// The other end gave up.
pub(crate) struct Closed;

impl From<SendError<Vec<u8>>> for Closed {
    fn from(_: SendError<Vec<u8>>) -> Self {
        Self
    }
}

impl Sending {
    /// A buffer of [`SIZE`] bytes with anything in it.
    pub(crate) fn buffer(&self) -> Vec<u8> {
        let mut buffer = self.returned.try_recv().unwrap_or_default();
        buffer.resize(SIZE, 0);
        buffer
    }

    /// Hands a buffer over.
    pub(crate) fn send(&self, buffer: Vec<u8>) -> Result<(), Closed> {
        Ok(self.full.send(buffer)?)
    }

    /// Says that everything was sent.
    pub(crate) fn finish(self) -> Result<(), Closed> {
        Ok(self.full.send(Vec::new())?)
    }
}

/// The end that reads. Its end of file means that the sender said so.
pub(crate) struct Receiving {
    incoming: Receiver<Vec<u8>>,
    empty: Sender<Vec<u8>>,
    buffer: Vec<u8>,
    position: usize,
    ended: bool,
}

impl BufRead for Receiving {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.position == self.buffer.len() && !self.ended {
            let next = self.incoming.recv().map_err(|_| io::Error::from(io::ErrorKind::UnexpectedEof))?;
            self.ended = next.is_empty();
            // Nobody may want it any more.
            let _ = self.empty.send(std::mem::replace(&mut self.buffer, next));
            self.position = 0;
        }
        Ok(&self.buffer[self.position..])
    }

    fn consume(&mut self, count: usize) {
        self.position += count;
    }
}

impl Read for Receiving {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(out.len());
        out[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}
