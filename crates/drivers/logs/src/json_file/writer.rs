//! The writing half: what the shim calls for every chunk that a process prints.

use super::settings::Settings;
use super::{LINE_LIMIT, encode, files};
use crate::{Error, Stream};
use memchr::memchr;
use rustix::fs::{FlockOperation, flock};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Beyond this many bytes encoded lines go to the file, and buffers are given back once a long line is through.
const BATCH: usize = 64 << 10;

/// Appends a container's output to its log, rotating it by size.
///
/// Lines are kept whole: what has no newline yet waits, separately for each stream, until it comes, until
/// [`LINE_LIMIT`] or until [`Writer::flush`].
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
    /// Of the file, in bytes, as far as this process wrote it.
    size: u64,
    settings: Settings,
    /// Begun lines of standard output and standard error.
    begun: [Vec<u8>; 2],
    /// Encoded lines that are not written yet.
    batch: Vec<u8>,
    /// Whether there are rotated files for the compressor.
    uncompressed: bool,
}

impl Writer {
    /// Opens or creates the file. `options` are those that [`crate::resolve`] gave, or a client's own.
    pub fn open(path: &Path, options: &BTreeMap<String, String>) -> Result<Self, Error> {
        let settings = Settings::parse(options)?;
        let open = |cause| Error::io("open log", path, cause);
        let file = create(path).map_err(open)?;
        let size = end_torn_line(&file).map_err(open)?;
        let (begun, batch) = Default::default();
        // An earlier writer may have ended before its files were compressed.
        let plain = |rotated: Vec<files::Rotated>| rotated.iter().any(|rotated| !rotated.compressed);
        let uncompressed = settings.compress && plain(files::rotated(path).map_err(open)?);
        Ok(Self { path: path.to_owned(), file, size, settings, begun, batch, uncompressed })
    }

    /// Takes what a process wrote, with the time at which it was read.
    ///
    /// An error means that lines are lost (a full disk); later calls may succeed, and what is in the file stays whole.
    pub fn write(&mut self, stream: Stream, unix_nanos: i64, bytes: &[u8]) -> Result<(), Error> {
        let mut rest = bytes;
        while let Some(newline) = memchr(b'\n', rest) {
            let (line, after) = rest.split_at(newline + 1);
            self.collect(stream, unix_nanos, line, true)?;
            rest = after;
        }
        if !rest.is_empty() {
            self.collect(stream, unix_nanos, rest, false)?;
        }
        self.put()
    }

    /// Writes begun lines as they are, without a newline: the process will print no more.
    pub fn flush(&mut self, unix_nanos: i64) -> Result<(), Error> {
        for stream in [Stream::Stdout, Stream::Stderr] {
            self.collect(stream, unix_nanos, b"", true)?;
        }
        self.put()
    }

    /// The log, if there may be rotated files of it for [`super::compress_rotated`] since this was last asked.
    pub fn take_uncompressed(&mut self) -> Option<&Path> {
        std::mem::take(&mut self.uncompressed).then_some(self.path.as_path())
    }

    /// Adds a part of a line, the last part if `complete`.
    fn collect(
        &mut self,
        stream: Stream,
        unix_nanos: i64,
        mut part: &[u8],
        complete: bool,
    ) -> Result<(), Error> {
        if complete && self.begun[stream as usize].is_empty() && part.len() <= LINE_LIMIT {
            return if part.is_empty() { Ok(()) } else { self.encode(stream, unix_nanos, part) };
        }
        let mut line = std::mem::take(&mut self.begun[stream as usize]);
        let mut result = Ok(());
        while line.len() + part.len() > LINE_LIMIT {
            let (fits, after) = part.split_at(LINE_LIMIT - line.len());
            line.extend_from_slice(fits);
            part = after;
            let whole = whole_characters(&line);
            let piece = self.encode(stream, unix_nanos, &line[..whole]);
            result = result.and(piece);
            line.drain(..whole);
        }
        line.extend_from_slice(part);
        if complete {
            let last = self.encode(stream, unix_nanos, &line);
            result = result.and(last);
            line.clear();
            line.shrink_to(BATCH);
        }
        self.begun[stream as usize] = line;
        result
    }

    fn encode(&mut self, stream: Stream, unix_nanos: i64, line: &[u8]) -> Result<(), Error> {
        if self.size + self.batch.len() as u64 >= self.settings.max_size {
            self.put()?;
            self.rotate();
        }
        encode::push_line(&mut self.batch, stream, unix_nanos, line, &self.settings.attributes);
        if self.batch.len() >= BATCH { self.put() } else { Ok(()) }
    }

    /// One `write(2)` of whole lines; a short one is taken back, so that no later line follows half a line.
    fn put(&mut self) -> Result<(), Error> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let written = loop {
            match rustix::io::write(&self.file, &self.batch) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other,
            }
        };
        let expected = self.batch.len();
        self.batch.clear();
        self.batch.shrink_to(2 * BATCH);
        let cause = match written {
            Ok(count) if count == expected => {
                self.size += count as u64;
                return Ok(());
            }
            Ok(count) => {
                take_back(&self.file, count as u64);
                io::ErrorKind::StorageFull.into()
            }
            Err(errno) => errno.into(),
        };
        Err(Error::io("write log", &self.path, cause))
    }

    /// Renames the files, or empties the only one. Where that fails the present file goes on growing, and the next
    /// attempt is after as much again: a log that can't be rotated is no reason to lose lines.
    fn rotate(&mut self) {
        // Somebody may have emptied the file, as people do.
        let size = self.file.metadata().map_or(self.size, |metadata| metadata.len());
        if size < self.settings.max_size {
            self.size = size;
            return;
        }
        match self.try_rotate() {
            Ok(Some(file)) => {
                (self.file, self.size) = (file, 0);
                self.uncompressed = self.settings.compress;
            }
            // The compressor is renaming at this instant: the next line tries again.
            Ok(None) => {}
            Err(_) => self.size = 0,
        }
    }

    fn try_rotate(&self) -> io::Result<Option<File>> {
        if self.settings.max_files < 2 {
            self.file.set_len(0)?;
            return self.file.try_clone().map(Some);
        }
        let directory = File::open(files::directory(&self.path))?;
        match flock(&directory, FlockOperation::NonBlockingLockExclusive) {
            Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
            other => other?,
        }
        for rotated in files::rotated(&self.path)? {
            if rotated.number + 1 >= self.settings.max_files {
                fs::remove_file(&rotated.path)?;
            } else {
                fs::rename(&rotated.path, files::name(&self.path, rotated.number + 1, rotated.compressed))?;
            }
        }
        fs::rename(&self.path, files::name(&self.path, 1, false))?;
        create(&self.path).map(Some)
    }
}

fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o640).open(path)
}

/// After a crash the last line may lack its end: it gets a newline, and costs nobody but itself. Returns the size.
fn end_torn_line(file: &File) -> io::Result<u64> {
    let size = file.metadata()?.len();
    let mut last = [b'\n'];
    if size > 0 {
        file.read_exact_at(&mut last, size - 1)?;
    }
    if last == [b'\n'] {
        return Ok(size);
    }
    rustix::io::write(file, b"\n")?;
    Ok(size + 1)
}

/// Cuts the last `count` bytes off.
fn take_back(file: &File, count: u64) {
    if let Ok(metadata) = file.metadata() {
        // If even this fails, the next opening writer ends the line.
        let _ = file.set_len(metadata.len().saturating_sub(count));
    }
}

/// How many bytes remain when a character that is not complete at the end is left for the next piece.
fn whole_characters(bytes: &[u8]) -> usize {
    for back in 1..=3.min(bytes.len()) {
        let at = bytes.len() - back;
        let needed = match bytes[at] {
            0x80..0xc0 => continue,
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            0xf0.. => 4,
            _ => 1,
        };
        return if needed > back { at } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_between_characters() {
        assert_eq!(whole_characters("aé".as_bytes()), 3);
        assert_eq!(whole_characters(&"aé".as_bytes()[..2]), 1);
        assert_eq!(whole_characters(&"a𝄞".as_bytes()[..4]), 1);
        assert_eq!(whole_characters(b"\x80\x80\x80\x80"), 4);
        assert_eq!(whole_characters(b""), 0);
    }
}
