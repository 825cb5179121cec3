//! The journal: what was committed since the last checkpoint, a line a transaction, synced before anybody is answered.
//!
//! A line is `length checksum check {json}`: the bytes of the JSON, 16 digits of its SHA-256, and 8 of the two before it. A crash
//! leaves a last line that is too short, or one with sectors of zeros in it: nobody was told that it was durable, and it is left
//! out. Whatever else does not fit is damage, and is said to be.

use crate::Revision;
use crate::stored::Stored;
use crate::watch::Change;
use rustix::fs::{FallocateFlags, fallocate};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

const HEADER: usize = 8 + 1 + 16 + 1 + 8 + 1;
/// Of a sector that was not written. No JSON has as many.
const ZEROS: [u8; 16] = [0; 16];
/// Blocks that are kept for it, so that on a full disk something can still be deleted.
const RESERVE: u64 = 1 << 20;

/// One transaction.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    revision: Revision,
    changes: Vec<Stored>,
}

/// An open journal.
#[derive(Debug)]
pub(super) struct Journal {
    file: File,
    length: u64,
}

impl Journal {
    /// Opens it, or makes it, and returns what is in it, or the reason why that can't be trusted. A last line that was not written to
    /// its end is cut off, so that nothing of it stands behind a shorter one.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Result<Vec<Change>, String>)> {
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path)?;
        let bytes = std::fs::read(path)?;
        let (changes, length) = match parse(&bytes) {
            Ok((changes, length)) => (Ok(changes), length),
            Err(reason) => (Err(reason), bytes.len()),
        };
        let journal = Self { file, length: length as u64 };
        if length < bytes.len() {
            journal.cut(journal.length)?;
        }
        Ok((journal, changes))
    }

    /// How much is in it.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Appends transactions, each a revision, and waits until they are on disk. After an error nothing of them is there.
    pub(super) fn append(&mut self, changes: &[Change]) -> io::Result<()> {
        let mut bytes = Vec::new();
        for transaction in changes.chunk_by(|a, b| a.revision == b.revision) {
            line(transaction, &mut bytes)?;
        }
        let written = self.file.write_all_at(&bytes, self.length).and_then(|()| self.file.sync_data());
        match written {
            Ok(()) => self.length += bytes.len() as u64,
            Err(_) => self.cut(self.length)?,
        }
        written
    }

    /// Forgets everything: it stands in the records' files.
    pub(super) fn clear(&mut self) -> io::Result<()> {
        self.cut(0)?;
        self.length = 0;
        Ok(())
    }

    /// Takes the reserve anew too, which goes with what is cut off.
    fn cut(&self, length: u64) -> io::Result<()> {
        self.file.set_len(length)?;
        self.reserve();
        self.file.sync_all()
    }

    /// Where it can't (the disk is full, the file system knows no such thing) the journal works as it did.
    fn reserve(&self) {
        if let Err(error) = fallocate(&self.file, FallocateFlags::KEEP_SIZE, 0, RESERVE) {
            tracing::debug!(%error, "the state store's journal has no blocks in reserve");
        }
    }
}

fn line(transaction: &[Change], to: &mut Vec<u8>) -> io::Result<()> {
    let Some(revision) = transaction.first().map(|change| change.revision) else { return Ok(()) };
    let stored = |change: &Change| Stored::new(&change.key, revision, change.value.as_ref());
    let json = serde_json::to_vec(&Line { revision, changes: transaction.iter().map(stored).collect() })?;
    to.extend(header(json.len(), &json).into_bytes());
    to.extend(json);
    to.push(b'\n');
    Ok(())
}

fn header(length: usize, json: &[u8]) -> String {
    let front = format!("{length:08x} {}", digits(json, 16));
    let check = digits(front.as_bytes(), 8);
    format!("{front} {check} ")
}

fn digits(of: &[u8], count: usize) -> String {
    let mut hash = hex::encode(Sha256::digest(of));
    hash.truncate(count);
    hash
}

/// The changes, and the length of what is whole.
fn parse(bytes: &[u8]) -> Result<(Vec<Change>, usize), String> {
    let (mut changes, mut at, mut last) = (Vec::new(), 0, 0);
    while at < bytes.len() {
        let rest = &bytes[at..];
        let Some(json) = json_of(rest).map_err(|reason| format!("at byte {at}: {reason}"))? else { break };
        let line: Line = serde_json::from_slice(json).map_err(|error| format!("at byte {at}: {error}"))?;
        if line.revision <= last {
            return Err(format!("at byte {at}: revision {} follows {last}", line.revision));
        }
        last = line.revision;
        for stored in line.changes {
            let value = stored.entry().map_err(|reason| format!("at byte {at}: {}: {reason}", stored.key))?;
            changes.push(Change { revision: last, key: stored.key, value });
        }
        at += HEADER + json.len() + 1;
    }
    Ok((changes, at))
}

/// The JSON of the first line; none if that was never written to its end.
fn json_of(rest: &[u8]) -> Result<Option<&[u8]>, &'static str> {
    let torn = |part: &[u8]| memchr::memmem::find(part, &ZEROS).is_some();
    let Some(front) = rest.get(..HEADER) else { return Ok(None) };
    let (sizes, check) = front.split_at(25);
    if check[0] != b' ' || check[9] != b' ' || check[1..9] != *digits(sizes, 8).as_bytes() {
        return if torn(front) { Ok(None) } else { Err("the beginning of a line is not what was written") };
    }
    let length = std::str::from_utf8(&sizes[..8]).ok().and_then(|text| usize::from_str_radix(text, 16).ok());
    let length = length.ok_or("a line has no length")?;
    let Some(line) = rest.get(HEADER..=HEADER + length) else { return Ok(None) };
    let (json, end) = line.split_at(length);
    if *digits(json, 16).as_bytes() == sizes[9..] && end == b"\n" {
        Ok(Some(json))
    } else if torn(line) {
        Ok(None)
    } else {
        Err("a line does not have the checksum that it names")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Entry;

    fn change(revision: u64, key: &str, value: Option<&str>) -> Change {
        let entry = |value: &str| Entry { value: value.as_bytes().into(), created: 1, modified: revision };
        Change { revision, key: key.to_owned(), value: value.map(entry) }
    }

    #[test]
    fn a_cut_leaves_whole_transactions_and_a_flipped_bit_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let all = [change(1, "a", Some("{}")), change(1, "b", Some("x\ny")), change(3, "a", None)];
        let (mut journal, found) = Journal::open(&path).unwrap();
        assert!(found.unwrap().is_empty());
        journal.append(&all).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(parse(&bytes).unwrap(), (all.to_vec(), bytes.len()));
        let first = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for length in 0..bytes.len() {
            let expected = if length < first { 0 } else { 2 };
            assert_eq!(parse(&bytes[..length]).unwrap().0, all[..expected], "cut at {length}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(parse(&bytes).is_err(), "bit {bit}");
        }
    }

    /// Or what is written next would end in the middle of it.
    #[test]
    fn a_line_that_was_cut_off_is_gone_for_good() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("journal");
        let (mut journal, _) = Journal::open(&path).unwrap();
        journal.append(&[change(1, "a", Some(&"v".repeat(2000)))]).unwrap();
        File::options().write(true).open(&path).unwrap().set_len(1000).unwrap();
        let (mut journal, found) = Journal::open(&path).unwrap();
        assert_eq!(found.unwrap(), []);
        let next = [change(1, "b", Some("{}"))];
        journal.append(&next).unwrap();
        assert_eq!(Journal::open(&path).unwrap().1.unwrap(), next);
    }

    #[test]
    fn an_append_that_fails_leaves_the_reserve() {
        let Some(mount) = crate::small_disk::SmallDisk::mount("4m") else { return };
        let path = mount.path().join("journal");
        let (mut journal, _) = Journal::open(&path).unwrap();
        journal.clear().unwrap();
        journal.append(&[change(1, "a", Some(&"v".repeat(8 << 20)))]).unwrap_err();
        let metadata = std::fs::metadata(&path).unwrap();
        let blocks = std::os::unix::fs::MetadataExt::blocks(&metadata) * 512;
        assert!(metadata.len() == 0 && blocks >= RESERVE, "{metadata:?}");
    }

    #[test]
    fn sectors_that_were_not_written_are_left_out() {
        let mut bytes = Vec::new();
        line(&[change(1, "a", Some("{}"))], &mut bytes).unwrap();
        let whole = bytes.len();
        line(&[change(2, "a", Some(&"v".repeat(2000)))], &mut bytes).unwrap();
        bytes[512..1024].fill(0);
        assert_eq!(parse(&bytes).unwrap().1, whole);
        bytes.truncate(whole);
        bytes.extend([0; 300]);
        assert_eq!(parse(&bytes).unwrap().1, whole);
    }
}
