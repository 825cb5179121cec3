//! Log drivers: writing a container's output, rotating it, and reading it back.
//!
//! Two processes meet in the files. The shim holds the [`json_file::Writer`]: synchronous, one `write(2)` of whole
//! lines at a time, nothing allocated per line. The daemon holds a [`Reader`]: it never locks what the writer
//! needs, seeks from the end for `tail` and `since`, follows rotation, and has a file descriptor to poll where it
//! has to wait for more. [`resolve`] checks options when a container is created and turns them into those that the
//! shim is given.

mod driver;
mod error;
pub mod json_file;
mod number;
mod subject;
pub mod timestamp;

pub use driver::{Driver, open, resolve, validate};
pub use error::Error;
pub use json_file::Reader;
pub use subject::Subject;

use std::collections::BTreeMap;

/// One of the two output streams of a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// Standard output; with a terminal, everything.
    Stdout,
    /// Standard error.
    Stderr,
}

impl Stream {
    /// As it stands in log files: `stdout` or `stderr`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// A line of a log, or a piece of one that was longer than the writer keeps together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where the process wrote it.
    pub stream: Stream,
    /// When it was complete, in nanoseconds since 1970.
    pub unix_nanos: i64,
    /// What was written, with its newline if it had one.
    pub bytes: Vec<u8>,
    /// Labels and variables that the log options asked to keep with each line (`docker logs --details`).
    pub attributes: BTreeMap<String, String>,
}

/// Which entries a reader yields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// Only the last so many of those that the other fields select.
    pub tail: Option<u64>,
    /// Not those older than this, in nanoseconds since 1970.
    pub since: Option<i64>,
    /// Not those younger than this, in nanoseconds since 1970.
    pub until: Option<i64>,
    /// Standard output's.
    pub stdout: bool,
    /// Standard error's.
    pub stderr: bool,
    /// Go on with what is written later, until [`Reader::finish`].
    pub follow: bool,
}

impl ReadOptions {
    /// Everything that there is now.
    pub fn all() -> Self {
        Self { tail: None, since: None, until: None, stdout: true, stderr: true, follow: false }
    }

    /// Whether an entry of this stream and time is selected, `tail` aside.
    fn selects(&self, stream: Stream, unix_nanos: i64) -> bool {
        let wanted = match stream {
            Stream::Stdout => self.stdout,
            Stream::Stderr => self.stderr,
        };
        wanted
            && self.since.is_none_or(|since| unix_nanos >= since)
            && self.until.is_none_or(|until| unix_nanos <= until)
    }
}
