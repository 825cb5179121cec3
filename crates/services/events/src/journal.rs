//! Events on disk, so that `since` reaches over the daemon's end: two files of JSON lines, the older of which goes when the newer is
//! full.

use crate::{Event, Limits, Received, Subscription};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

const NEWER: &str = "events.jsonl";
const OLDER: &str = "events.old.jsonl";

/// Where events are kept. A kill of the daemon costs at most what was published in the moment before; a power cut what the kernel
/// had not written yet.
#[derive(Debug)]
pub struct Journal {
    directory: PathBuf,
    file: File,
    length: u64,
    /// Bytes of a file.
    limit: u64,
    /// Whether the last appending failed: half a line may be there.
    is_broken: bool,
    /// Whether half a line is there.
    is_torn: bool,
}

impl Journal {
    /// Opens it, and reads what is there, the latest within the limits. Lines that are no events are left out: one may have been cut
    /// off by the end of a power supply.
    ///
    /// # Errors
    /// Of the disk.
    pub fn open(directory: &Path, limits: Limits) -> io::Result<(Self, Vec<Event>)> {
        // Commands of execs are among what it tells of.
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
        let mut past = Vec::new();
        for name in [NEWER, OLDER] {
            let text = match fs::read(directory.join(name)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                read => read?,
            };
            let lines = text.rsplit(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            let events = lines.filter_map(|line| {
                let event = serde_json::from_slice::<Event>(line);
                event
                    .inspect_err(
                        |error| tracing::warn!(file = name, %error, "a line of the journal is no event"),
                    )
                    .ok()
            });
            past.extend(events.take(limits.events - past.len()));
        }
        past.reverse();
        let (file, length, is_torn) = open(&directory.join(NEWER))?;
        let (directory, limit) = (directory.to_owned(), limits.bytes as u64 / 2);
        Ok((Self { directory, file, length, limit, is_broken: false, is_torn }, past))
    }

    /// Appends events.
    ///
    /// # Errors
    /// Of the disk; some of them may be there then. The next ones are appended all the same.
    pub fn append(&mut self, events: &[impl AsRef<Event>]) -> io::Result<()> {
        let newer = self.directory.join(NEWER);
        if self.is_broken {
            (self.file, self.length, self.is_torn) = open(&newer)?;
        }
        self.is_broken = true;
        if self.length >= self.limit {
            match fs::rename(&newer, self.directory.join(OLDER)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => (self.file, self.length, self.is_torn) = open(&newer)?,
            }
        }
        let mut text = Vec::new();
        if self.is_torn {
            text.push(b'\n');
        }
        for event in events {
            serde_json::to_writer(&mut text, event.as_ref())?;
            text.push(b'\n');
        }
        self.file.write_all(&text)?;
        self.length += text.len() as u64;
        (self.is_broken, self.is_torn) = (false, false);
        Ok(())
    }

    /// Writes down what is published until the bus is closed. A disk that is slow holds up nobody else.
    pub async fn keep(mut self, mut subscription: Subscription) {
        while let Some(received) = subscription.next().await {
            let mut events = Vec::new();
            for received in std::iter::once(received).chain(std::iter::from_fn(|| subscription.try_next())) {
                match received {
                    Received::Event(event) => events.push(event),
                    Received::Missed(count) => {
                        tracing::warn!(count, "the journal of events was too slow for some")
                    }
                }
            }
            self = offload::blocking(move || {
                if let Err(error) = self.append(&events) {
                    tracing::warn!(%error, lost = events.len(), "the journal of events");
                }
                self
            })
            .await;
        }
    }
}

/// Opens a file to append to: with its length, and whether it ends within a line. Nothing is written: a full disk keeps nobody from
/// opening it.
fn open(path: &Path) -> io::Result<(File, u64, bool)> {
    let mut file = OpenOptions::new().create(true).append(true).read(true).mode(0o600).open(path)?;
    let length = file.metadata()?.len();
    let mut last = [b'\n'];
    if length > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    Ok((file, length, last != *b"\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Events, Kind};
    use std::collections::BTreeMap;

    fn event(number: i64) -> Event {
        let attributes = BTreeMap::from([("name".to_owned(), "line\nbreak".to_owned())]);
        Event { at: number, ..Event::new(Kind::Network, "connect", number.to_string(), attributes) }
    }

    fn numbers(past: &[Event]) -> Vec<i64> {
        past.iter().map(|event| event.at).collect()
    }

    #[test]
    fn what_was_written_is_read_and_a_line_that_was_cut_off_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let open = || Journal::open(directory.path(), Limits::default()).unwrap();
        let (mut journal, past) = open();
        assert_eq!(past, []);
        journal.append(&[event(1).into(), event(2).into()] as &[std::sync::Arc<Event>]).unwrap();
        let file = directory.path().join(NEWER);
        let text = fs::read(&file).unwrap();
        fs::write(&file, &text[..text.len() - 9]).unwrap();
        let (mut journal, past) = open();
        assert_eq!(past, [event(1)]);
        journal.append(&[std::sync::Arc::new(event(3))]).unwrap();
        assert_eq!(numbers(&open().1), [1, 3]);
    }

    #[test]
    fn it_stays_within_its_limits() {
        let directory = tempfile::tempdir().unwrap();
        let limits = Limits { events: 50, bytes: 10_000 };
        let (mut journal, _) = Journal::open(directory.path(), limits).unwrap();
        for number in 0..1000 {
            journal.append(&[std::sync::Arc::new(event(number))]).unwrap();
        }
        let bytes: u64 =
            fs::read_dir(directory.path()).unwrap().map(|one| one.unwrap().metadata().unwrap().len()).sum();
        assert!(bytes < 11_000, "{bytes}");
        let (_, past) = Journal::open(directory.path(), limits).unwrap();
        assert_eq!(numbers(&past), (950..1000).collect::<Vec<_>>());
    }

    #[test]
    fn after_a_failure_it_goes_on_with_whole_lines() {
        let parent = tempfile::tempdir().unwrap();
        let directory = parent.path().join("events");
        let open = || Journal::open(&directory, Limits { events: 10, bytes: 100 }).unwrap();
        let (mut journal, _) = open();
        let append = |journal: &mut Journal, number| journal.append(&[std::sync::Arc::new(event(number))]);
        append(&mut journal, 1).unwrap();
        // Half a line, as a full disk leaves it, ...
        fs::write(directory.join(NEWER), "{\"kind\":").unwrap();
        journal.is_broken = true;
        append(&mut journal, 2).unwrap();
        assert_eq!(numbers(&open().1), [2]);
        // ... and a file that was moved away without another in its place.
        fs::remove_file(directory.join(NEWER)).unwrap();
        append(&mut journal, 3).unwrap();
        assert_eq!(numbers(&open().1), [3]);
        let mode =
            |path: &Path| std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions());
        assert_eq!((mode(&directory) & 0o77, mode(&directory.join(NEWER)) & 0o77), (0, 0));
    }

    #[tokio::test]
    async fn a_bus_goes_on_where_the_last_one_ended() {
        let directory = tempfile::tempdir().unwrap();
        for round in 0..3 {
            let (journal, past) = Journal::open(directory.path(), Limits::default()).unwrap();
            let events = Events::new().with_past(past);
            let keeper = tokio::spawn(journal.keep(events.subscribe(None)));
            events.publish(event(round));
            let mut all = events.subscribe(Some(0));
            let seen = std::iter::from_fn(|| all.try_next()).count();
            assert_eq!(seen, usize::try_from(round).unwrap() + 1);
            events.close();
            keeper.await.unwrap();
        }
    }
}
