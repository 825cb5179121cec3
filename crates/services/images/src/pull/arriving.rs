//! A layer's blob on its way from a registry: stored while it is read, after what an earlier attempt has left.

use crate::Result;
use crate::load::Body;
use blobs::{Expected, Partial};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Take, Write};

const BUFFER: usize = 128 << 10;

/// Reads what is stored already, then what arrives.
#[derive(Debug)]
pub(crate) struct Arriving {
    stored: Take<BufReader<File>>,
    body: Body,
    partial: Partial,
    /// Why it could not be stored; to the reader the stream just breaks off then.
    failed: Option<io::Error>,
}

impl Arriving {
    pub(crate) fn new(partial: Partial, body: Body) -> Result<Self> {
        let stored = BufReader::with_capacity(BUFFER, partial.content()?).take(partial.size());
        Ok(Self { stored, body, partial, failed: None })
    }

    /// The blob, if all of it came and is what it should be. It gets its name when a record is about to name it.
    pub(crate) fn complete(self, expected: &Expected) -> Result<Partial> {
        Ok(self.partial.complete(expected)?)
    }

    /// Whether it could not be stored.
    pub(crate) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Why it could not be stored, if it could not.
    pub(crate) fn take_failure(&mut self) -> Option<io::Error> {
        self.failed.take()
    }

    /// Leaves nothing of it.
    pub(crate) fn discard(self) -> Result<()> {
        Ok(self.partial.discard()?)
    }
}

impl BufRead for Arriving {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.stored.limit() > 0 {
            return self.stored.fill_buf();
        }
        let fresh = self.body.is_drained();
        let piece = self.body.fill_buf()?;
        // Stored whole when it arrives, not in the small bites that a decompressor takes.
        if fresh && let Err(error) = self.partial.write_all(piece) {
            self.failed = Some(error);
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(piece)
    }

    fn consume(&mut self, count: usize) {
        if self.stored.limit() > 0 {
            self.stored.consume(count);
        } else {
            self.body.consume(count);
        }
    }
}

impl Read for Arriving {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let available = self.fill_buf()?;
        let count = available.len().min(out.len());
        out[..count].copy_from_slice(&available[..count]);
        self.consume(count);
        Ok(count)
    }
}
