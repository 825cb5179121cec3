//! Lines of one file: forward while it may grow, backward from its end, and by time.

use super::decode;
use memchr::{memchr, memrchr};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

const BLOCK: usize = 64 << 10;

/// No line of ours is as long; what is, is skipped instead of filling memory.
const LONGEST: usize = 16 << 20;

/// Reads whole lines forward from an offset.
#[derive(Debug)]
pub(super) struct Forward {
    /// Where in the file `buffer` begins.
    offset: u64,
    buffer: Vec<u8>,
    /// How much of `buffer` was handed out.
    used: usize,
    /// Up to where `buffer` is known to hold no newline.
    searched: usize,
}

impl Forward {
    pub(super) fn from(offset: u64) -> Self {
        Self { offset, buffer: Vec::new(), used: 0, searched: 0 }
    }

    /// The next line with its newline; `None`: no whole line is there (yet).
    pub(super) fn next(&mut self, file: &File) -> io::Result<Option<&[u8]>> {
        loop {
            if let Some(at) = memchr(b'\n', &self.buffer[self.searched..]) {
                let start = self.used;
                self.used = self.searched + at + 1;
                self.searched = self.used;
                return Ok(Some(&self.buffer[start..self.used]));
            }
            self.searched = self.buffer.len();
            if !self.fill(file)? {
                return Ok(None);
            }
        }
    }

    /// Whether there is no whole line without reading on.
    pub(super) fn needs_reading(&self) -> bool {
        memchr(b'\n', &self.buffer[self.searched..]).is_none()
    }

    /// Up to where the file was read.
    pub(super) fn end(&self) -> u64 {
        self.offset + self.buffer.len() as u64
    }

    fn fill(&mut self, file: &File) -> io::Result<bool> {
        let keep = if self.buffer.len() - self.used > LONGEST { self.buffer.len() } else { self.used };
        self.buffer.drain(..keep);
        self.offset += keep as u64;
        self.used = 0;
        let held = self.buffer.len();
        self.buffer.resize(held + BLOCK, 0);
        let read = file.read_at(&mut self.buffer[held..], self.offset + held as u64);
        self.buffer.truncate(held + *read.as_ref().unwrap_or(&0));
        self.searched = held;
        Ok(read? > 0)
    }
}

/// Reads whole lines backward, from the end of the file as it is now.
#[derive(Debug)]
pub(super) struct Backward<'a> {
    file: &'a File,
    /// Where in the file `buffer` begins.
    offset: u64,
    /// Ends with the newline of the next line to hand out.
    buffer: Vec<u8>,
}

impl<'a> Backward<'a> {
    pub(super) fn from_end(file: &'a File) -> io::Result<Self> {
        let mut lines = Self { file, offset: file.metadata()?.len(), buffer: Vec::new() };
        // Past a last line that has no newline.
        while memrchr(b'\n', &lines.buffer).is_none() && lines.fill()? {
            if lines.buffer.len() > LONGEST {
                lines.buffer.clear();
            }
        }
        lines.buffer.truncate(memrchr(b'\n', &lines.buffer).map_or(0, |at| at + 1));
        Ok(lines)
    }

    /// Where the lines handed out so far begin, or, before the first, where the last whole line ends.
    pub(super) fn position(&self) -> u64 {
        self.offset + self.buffer.len() as u64
    }

    /// The line before; `None`: the beginning is reached.
    pub(super) fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.buffer.is_empty() && !self.fill()? {
            return Ok(None);
        }
        loop {
            let body = &self.buffer[..self.buffer.len() - 1];
            match memrchr(b'\n', body) {
                Some(at) => return Ok(Some(self.buffer.split_off(at + 1))),
                None if self.offset == 0 => return Ok(Some(std::mem::take(&mut self.buffer))),
                None => {
                    self.fill()?;
                }
            }
        }
    }

    /// Puts the block before in front of the buffer; `false`: the beginning is reached.
    fn fill(&mut self) -> io::Result<bool> {
        let count = usize::try_from(self.offset).unwrap_or(BLOCK).min(BLOCK);
        if count == 0 {
            return Ok(false);
        }
        let mut block = Vec::with_capacity(count + self.buffer.len());
        block.resize(count, 0);
        self.file.read_exact_at(&mut block, self.offset - count as u64)?;
        block.append(&mut self.buffer);
        self.buffer = block;
        self.offset -= count as u64;
        Ok(true)
    }
}

/// The time of the first entry; `None`: there is none.
pub(super) fn first_time(file: &File) -> io::Result<Option<i64>> {
    time_at_or_after(file, 0).map(|found| found.map(|(_, _, time)| time))
}

/// Where the first entry begins that is not older than `since`, or the end of the last line: by halving, since
/// entries are in the order of time.
pub(super) fn seek(file: &File, since: i64) -> io::Result<u64> {
    let (mut low, mut high) = (0, file.metadata()?.len());
    // Every line that begins before `low` is older; the first line that begins at or after `high` is not, if there is one.
    while low < high {
        let middle = low + (high - low) / 2;
        match line_after(file, middle)? {
            Some((_, end, time)) if time < since => low = end,
            _ => high = middle,
        }
    }
    Ok(low)
}

/// Start, end and time of the first entry that begins at or after `offset`, taking `offset` for a place
/// within a line unless it is 0.
fn line_after(file: &File, offset: u64) -> io::Result<Option<(u64, u64, i64)>> {
    let start = match offset {
        0 => 0,
        _ => {
            let mut lines = Forward::from(offset - 1);
            match lines.next(file)? {
                Some(rest) => offset - 1 + rest.len() as u64,
                None => return Ok(None),
            }
        }
    };
    time_at_or_after(file, start)
}

/// The same from the beginning of a line on; lines that can't be read are passed over.
fn time_at_or_after(file: &File, mut start: u64) -> io::Result<Option<(u64, u64, i64)>> {
    let mut lines = Forward::from(start);
    while let Some(line) = lines.next(file)? {
        let end = start + line.len() as u64;
        if let Some((_, time)) = decode::stream_and_time(line) {
            return Ok(Some((start, end, time)));
        }
        start = end;
    }
    Ok(None)
}
