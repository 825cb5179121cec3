//! The reading half: entries in order over all files of a log, and on as it grows.

use super::files::{self, Identity, Opened};
use super::lines::{self, Backward, Forward};
use super::{compress, decode};
use crate::{Entry, Error, ReadOptions};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What [`Reader::read`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The next entry.
    Entry(Entry),
    /// Nothing more at present: read again once the reader's file descriptor is readable.
    Pending,
    /// Nothing more will come.
    End,
}

/// Reads a log, beginning where its options say.
///
/// A reader that follows owns an inotify instance: [`AsFd`] gives it to an event loop (it becomes readable, level-
/// and edge-triggered alike, when there may be more), [`Reader::wait`] is for a thread.
#[derive(Debug)]
pub struct Reader {
    path: PathBuf,
    options: ReadOptions,
    /// Files to read, the present one first.
    sources: VecDeque<Source>,
    watch: Option<OwnedFd>,
    finished: bool,
    ended: bool,
    /// Of the last entry handed out.
    last: i64,
    /// Pass over entries up to `last`: the place in the files was lost, as a file went away meanwhile.
    catching_up: bool,
}

#[derive(Debug)]
struct Source {
    opened: Opened,
    lines: Forward,
}

impl Source {
    fn at(opened: Opened, offset: u64) -> Self {
        Self { opened, lines: Forward::from(offset) }
    }
}

impl Reader {
    /// Opens the log whose newest file is, or will be, `path`.
    pub fn open(path: &Path, options: ReadOptions) -> Result<Self, Error> {
        // Before the first look at the files, so that nothing happens unseen between the two.
        let watch = match options.follow {
            true => Some(watch(files::directory(path)).map_err(|cause| Error::io("watch log", path, cause))?),
            false => None,
        };
        let opened = files::open_all(path)?;
        let sources = start(opened, path, &options).map_err(|cause| Error::io("seek in log", path, cause))?;
        Ok(Self {
            path: path.to_owned(),
            options,
            sources,
            watch,
            finished: false,
            ended: false,
            last: i64::MIN,
            catching_up: false,
        })
    }

    /// The next entry, without ever waiting for one.
    pub fn read(&mut self) -> Result<Next, Error> {
        if self.ended {
            return Ok(Next::End);
        }
        let next = self.try_read().map_err(|cause| Error::io("read log", &self.path, cause))?;
        self.ended = next == Next::End;
        Ok(next)
    }

    /// Says that nobody writes any more: what is in the files is read, then comes the end.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// Waits until there may be more to read; `false`: the time is over.
    pub fn wait(&self, limit: Duration) -> Result<bool, Error> {
        let failed = |cause| Error::io("wait for log", &self.path, cause);
        let Some(watch) = &self.watch else { return Ok(true) };
        let limit = Timespec::try_from(limit).map_err(|_| failed(io::ErrorKind::InvalidInput.into()))?;
        match poll(&mut [PollFd::new(watch, PollFlags::IN)], Some(&limit)) {
            Ok(0) => Ok(false),
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(true),
            Err(errno) => Err(failed(errno.into())),
        }
    }

    fn try_read(&mut self) -> io::Result<Next> {
        loop {
            let entry = match self.next_line()? {
                Some(line) => decode::entry(line),
                None => match self.advance()? {
                    Step::Again => continue,
                    Step::Stop(next) => return Ok(next),
                },
            };
            let Some(entry) = entry else { continue };
            if self.options.until.is_some_and(|until| entry.unix_nanos > until) {
                return Ok(Next::End);
            }
            if (self.catching_up && entry.unix_nanos <= self.last)
                || !self.options.selects(entry.stream, entry.unix_nanos)
            {
                continue;
            }
            self.catching_up = false;
            self.last = entry.unix_nanos;
            return Ok(Next::Entry(entry));
        }
    }

    fn next_line(&mut self) -> io::Result<Option<&[u8]>> {
        let source = self.sources.front_mut();
        // Also where there is no file yet: the events of others in the directory are nothing to wake for again.
        if source.as_ref().is_none_or(|source| source.lines.needs_reading())
            && let Some(watch) = &self.watch
        {
            drain(watch);
        }
        source.map_or(Ok(None), |source| source.lines.next(&source.opened.file))
    }

    /// What to do where the present file has no further whole line.
    fn advance(&mut self) -> io::Result<Step> {
        if self.sources.len() > 1 {
            self.sources.pop_front();
            return Ok(Step::Again);
        }
        if !self.options.follow {
            return Ok(Step::Stop(Next::End));
        }
        let newest = match Identity::at(&self.path) {
            Ok(identity) => identity,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(self.missing()),
            Err(error) => return Err(error),
        };
        match self.sources.front_mut() {
            Some(source) if source.opened.identity == newest => {
                let size = source.opened.file.metadata()?.len();
                if size < source.lines.end() {
                    // Emptied: by a log that keeps one file, or by hand.
                    source.lines = Forward::from(0);
                    return Ok(Step::Again);
                }
                let more = size > source.lines.end();
                Ok(if more {
                    Step::Again
                } else {
                    Step::Stop(if self.finished { Next::End } else { Next::Pending })
                })
            }
            _ => self.rotated(),
        }
    }

    /// The newest file does not exist: not yet, between two renames, or the whole log was removed.
    fn missing(&self) -> Step {
        let unlinked = |source: &Source| source.opened.file.metadata().is_ok_and(|file| file.nlink() == 0);
        let removed = self.sources.front().is_some_and(unlinked) || !files::directory(&self.path).is_dir();
        Step::Stop(if removed || self.finished { Next::End } else { Next::Pending })
    }

    /// Queues the files that came after the present one.
    fn rotated(&mut self) -> io::Result<Step> {
        let opened = files::open_all(&self.path).map_err(io::Error::other)?;
        let present = self.sources.front().map(|source| source.opened.identity);
        let place = opened.iter().position(|file| Some(file.identity) == present);
        if place.is_none() {
            self.catching_up = present.is_some();
            self.sources.clear();
        }
        for file in opened.into_iter().skip(place.map_or(0, |place| place + 1)) {
            self.sources.push_back(Source::at(inflated(file, &self.path)?, 0));
        }
        // The present file stays in front: its last lines may have come after it was last read.
        Ok(Step::Again)
    }
}

enum Step {
    Again,
    Stop(Next),
}

/// The inotify instance of a reader that follows. Panics for others.
impl AsFd for Reader {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.watch.as_ref().expect("only a reader that follows is waited for").as_fd()
    }
}

fn watch(directory: &Path) -> io::Result<OwnedFd> {
    use inotify::{CreateFlags, WatchFlags};
    let watch = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let events = WatchFlags::MODIFY
        | WatchFlags::CREATE
        | WatchFlags::MOVED_TO
        | WatchFlags::DELETE
        | WatchFlags::MOVE_SELF
        | WatchFlags::DELETE_SELF;
    inotify::add_watch(&watch, directory, events)?;
    Ok(watch)
}

/// Forgets events: what they tell of is read next.
fn drain(watch: &OwnedFd) {
    let mut events = [0; 4096];
    while rustix::io::read(watch, &mut events).is_ok_and(|count| count > 0) {}
}

fn inflated(mut opened: Opened, path: &Path) -> io::Result<Opened> {
    if opened.compressed {
        opened.file = compress::inflate(&opened.file, path)?;
        opened.compressed = false;
    }
    Ok(opened)
}

/// The files from which to read, the first of them at the right place.
fn start(opened: Vec<Opened>, path: &Path, options: &ReadOptions) -> io::Result<VecDeque<Source>> {
    let mut wanted = options.tail;
    let mut sources = VecDeque::new();
    for file in opened.into_iter().rev() {
        let file = inflated(file, path)?;
        let (offset, enough) = match &mut wanted {
            Some(wanted) => tail(&file, options, wanted)?,
            None => since(&file, options)?,
        };
        sources.push_front(Source::at(file, offset));
        if enough {
            break;
        }
    }
    Ok(sources)
}

/// Where in the file to begin, and whether no older file is needed.
fn since(file: &Opened, options: &ReadOptions) -> io::Result<(u64, bool)> {
    let Some(since) = options.since else { return Ok((0, false)) };
    let first = lines::first_time(&file.file)?;
    Ok((lines::seek(&file.file, since)?, first.is_some_and(|first| first < since)))
}

/// The same, for the last `wanted` entries, which is left with how many are still to be found in older files.
fn tail(file: &Opened, options: &ReadOptions, wanted: &mut u64) -> io::Result<(u64, bool)> {
    let mut lines = Backward::from_end(&file.file)?;
    while *wanted > 0 {
        let before = lines.position();
        let Some(line) = lines.next()? else { return Ok((before, false)) };
        let Some((stream, time)) = decode::stream_and_time(&line) else { continue };
        if options.since.is_some_and(|since| time < since) {
            return Ok((before, true));
        }
        *wanted -= u64::from(options.selects(stream, time));
    }
    Ok((lines.position(), true))
}
