//! The writer of tar streams: ustar headers, and a PAX header before each that ustar cannot express.

use super::entry::Entry;
use super::{BLOCK, header};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;

/// Headers and content gather here: files are read straight into it, and it goes out in one piece. As much as a pipe
/// holds: with four times of it packing was slower, also beside GNU tar at the same moment.
const BUFFER: usize = 64 << 10;

/// A tar stream in the making: [`ArchiveWriter::entry`] for each entry, its content if it has any, and
/// [`ArchiveWriter::finish`]. The same calls give the same bytes.
#[derive(Debug)]
pub struct ArchiveWriter<W> {
    output: W,
    /// Always [`BUFFER`] long; what is filled of it is `filled`.
    buffer: Vec<u8>,
    filled: usize,
}

impl<W: Write> ArchiveWriter<W> {
    /// Writes to `output`, in pieces of 64 KiB.
    pub fn new(output: W) -> Self {
        Self { output, buffer: vec![0; BUFFER], filled: 0 }
    }

    /// Writes the headers of an entry. Of a [`super::Kind::File`], [`Entry::size`] bytes of content must follow.
    ///
    /// # Errors
    /// `InvalidInput` for what no tar stream can say: a name with a zero byte, a device number beyond the kernel's.
    pub fn entry(&mut self, entry: &Entry) -> io::Result<()> {
        let headers = header::of(entry)?;
        self.bytes(&headers)
    }

    /// Writes the content of the last entry from memory.
    pub fn content(&mut self, content: &[u8]) -> io::Result<()> {
        self.bytes(content)?;
        self.pad(content.len() as u64)
    }

    /// Writes `size` bytes of content from a file that may change meanwhile: what it has got shorter by is zeros, what it
    /// has got longer by is left out. Answers how many bytes were missing.
    ///
    /// # Errors
    /// [`CopyError::Read`] for the file's, [`CopyError::Write`] for the output's.
    pub fn content_of(&mut self, file: &File, size: u64) -> Result<u64, CopyError> {
        let mut done = 0;
        while done < size {
            let most = self.room().map_err(CopyError::Write)?;
            let most = usize::try_from(size - done).map_or(most, |left| left.min(most));
            let space = &mut self.buffer[self.filled..self.filled + most];
            match file.read_at(space, done) {
                Ok(0) => break,
                Ok(count) => (self.filled, done) = (self.filled + count, done + count as u64),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(CopyError::Read(error)),
            }
        }
        self.zeros(size - done).and_then(|()| self.pad(size)).map_err(CopyError::Write)?;
        Ok(size - done)
    }

    /// Ends the stream with two blocks of zeros and hands the output back.
    pub fn finish(mut self) -> io::Result<W> {
        self.zeros(2 * BLOCK as u64)?;
        self.flush()?;
        self.output.flush()?;
        Ok(self.output)
    }

    /// How much fits before the next piece goes out; never nothing.
    fn room(&mut self) -> io::Result<usize> {
        if self.filled == BUFFER {
            self.flush()?;
        }
        Ok(BUFFER - self.filled)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.write_all(&self.buffer[..self.filled])?;
        self.filled = 0;
        Ok(())
    }

    fn bytes(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(self.room()?.min(bytes.len()));
            self.buffer[self.filled..self.filled + now.len()].copy_from_slice(now);
            self.filled += now.len();
            bytes = later;
        }
        Ok(())
    }

    fn zeros(&mut self, mut count: u64) -> io::Result<()> {
        while count > 0 {
            let room = self.room()?;
            let now = usize::try_from(count).map_or(room, |count| count.min(room));
            self.buffer[self.filled..self.filled + now].fill(0);
            self.filled += now;
            count -= now as u64;
        }
        Ok(())
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        self.zeros(size.wrapping_neg() % BLOCK as u64)
    }
}

/// Which side of a copy failed.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The file.
    #[error("read the content")]
    Read(#[source] io::Error),
    /// Whatever takes the archive.
    #[error("write the archive")]
    Write(#[source] io::Error),
}

#[cfg(test)]
mod tests;
