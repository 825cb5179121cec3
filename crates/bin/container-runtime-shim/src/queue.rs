//! Bytes on their way to a descriptor that does not always take them at once.

use rustix::io::Errno;
use std::os::fd::AsFd;

/// Bytes not yet written.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    bytes: Vec<u8>,
    start: usize,
}

impl Queue {
    /// How many bytes wait.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len() - self.start
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        // What is written already goes first, once it is the larger part.
        if self.start > self.len() {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Writes until all is gone, or the descriptor takes no more.
    ///
    /// # Errors
    /// Whatever `write(2)` says except that it would block.
    pub(crate) fn flush(&mut self, fd: impl AsFd) -> rustix::io::Result<()> {
        while !self.is_empty() {
            match rustix::io::write(&fd, &self.bytes[self.start..]) {
                Ok(written) => self.start += written,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        // An idle connection holds no buffer.
        *self = Self::default();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::{PipeFlags, pipe_with};

    #[test]
    fn what_a_full_pipe_refuses_is_kept_in_order() {
        let (reader, writer) = pipe_with(PipeFlags::NONBLOCK).unwrap();
        let sent: Vec<u8> = (0..200_000_u32).flat_map(u32::to_ne_bytes).collect();
        let mut queue = Queue::default();
        let mut received = Vec::new();
        for chunk in sent.chunks(50_000) {
            queue.push(chunk);
            queue.flush(&writer).unwrap();
        }
        assert!(!queue.is_empty(), "a pipe holds 64 KiB");
        while received.len() < sent.len() {
            let mut buffer = [0; 4096];
            let n = rustix::io::read(&reader, &mut buffer).unwrap();
            received.extend_from_slice(&buffer[..n]);
            queue.flush(&writer).unwrap();
        }
        assert_eq!(received, sent);
        assert!(queue.is_empty());
    }
}
