//! What is written is what the reader of this crate, and GNU's tar, read.

use super::*;
use crate::archive::{Archive, Kind, Time};
use std::process::Command;

fn entry(kind: Kind, path: &[u8]) -> Entry {
    Entry {
        path: path.to_owned(),
        link: Vec::new(),
        kind,
        mode: 0o4755,
        uid: 0,
        gid: 0,
        mtime: Time { seconds: 1_000_000_000, nanoseconds: 0 },
        device: (0, 0),
        size: 0,
        sparse: None,
        xattrs: Vec::new(),
    }
}

/// Every field at and beyond what ustar can say.
fn entries() -> Vec<Entry> {
    let long = |length: usize| b"d/".iter().copied().chain(std::iter::repeat_n(b'x', length)).collect();
    let time = |seconds, nanoseconds| Time { seconds, nanoseconds };
    let base = |path: &[u8]| entry(Kind::File, path);
    vec![
        Entry { path: b"d/".to_vec(), kind: Kind::Directory, ..base(b"") },
        Entry { path: long(98), ..base(b"") },
        Entry { path: long(99), ..base(b"") },
        Entry { path: long(250), ..base(b"") },
        base(&[b'r', 0xff, 0xfe]),
        Entry { kind: Kind::Symlink, link: long(200), ..base(b"s") },
        Entry { kind: Kind::HardLink, link: b"d/hard".to_vec(), ..base(b"h") },
        Entry { kind: Kind::Character, device: (4095, 1_048_575), ..base(b"c") },
        Entry { kind: Kind::Block, device: (8, 1), ..base(b"b") },
        Entry { kind: Kind::Fifo, ..base(b"p") },
        Entry { uid: 0o777_7777, gid: 0o1000_0000, ..base(b"ids") },
        Entry { uid: 4_294_967_294, mtime: time(1, 1), ..base(b"early") },
        Entry { mtime: time(-2, 750_000_000), ..base(b"before") },
        Entry { mtime: time(1 << 34, 999_999_999), ..base(b"late") },
        Entry {
            xattrs: vec![(b"user.a".to_vec(), b"line\n12 x=y\0".to_vec()), (b"user.none".to_vec(), vec![])],
            ..base(b"xattrs")
        },
    ]
}

#[test]
fn every_entry_is_read_as_it_was_written() {
    let mut writer = ArchiveWriter::new(Vec::new());
    for entry in entries() {
        writer.entry(&entry).unwrap();
    }
    let bytes = writer.finish().unwrap();
    assert_eq!(bytes.len() % BLOCK, 0);
    let mut archive = Archive::new(bytes.as_slice());
    for entry in entries() {
        assert_eq!(archive.next_entry().unwrap().unwrap(), entry);
    }
    assert_eq!(archive.next_entry().unwrap(), None);
}

#[test]
fn sizes_beyond_eight_gibibytes_are_told() {
    for size in [0o777_7777_7777_u64, 0o1_0000_0000_0000, 1 << 40] {
        let mut writer = ArchiveWriter::new(Vec::new());
        writer.entry(&Entry { size, ..entry(Kind::File, b"big") }).unwrap();
        let bytes = writer.finish().unwrap();
        assert_eq!(Archive::new(bytes.as_slice()).next_entry().unwrap().unwrap().size, size);
    }
}

#[test]
fn content_has_the_length_that_was_announced_whatever_becomes_of_the_file() {
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(&vec![b'x'; 700_000], 0).unwrap();
    let mut writer = ArchiveWriter::new(Vec::new());
    for (size, missing) in [(700_000, 0), (600_001, 0), (1_000_000, 300_000), (0, 0)] {
        writer.entry(&Entry { size, ..entry(Kind::File, b"f") }).unwrap();
        assert_eq!(writer.content_of(&file, size).unwrap(), missing);
    }
    writer.entry(&Entry { size: 5, ..entry(Kind::File, b"small") }).unwrap();
    writer.content(b"small").unwrap();
    let bytes = writer.finish().unwrap();
    let mut archive = Archive::new(bytes.as_slice());
    for size in [700_000, 600_001, 1_000_000, 0] {
        assert_eq!(archive.next_entry().unwrap().unwrap().size, size);
        let mut content = Vec::new();
        io::Read::read_to_end(&mut archive.content(), &mut content).unwrap();
        let kept = content.iter().filter(|byte| **byte == b'x').count() as u64;
        assert_eq!((content.len() as u64, kept), (size, size.min(700_000)));
    }
    archive.next_entry().unwrap().unwrap();
    assert_eq!(archive.chunk().unwrap(), b"small");
}

#[test]
fn gnu_tar_reads_it() {
    let mut writer = ArchiveWriter::new(Vec::new());
    for entry in entries() {
        writer.entry(&entry).unwrap();
    }
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&writer.finish().unwrap()).unwrap();
    let listed = Command::new("tar").args(["-t", "-f"]).arg(file.path()).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    assert_eq!(listed.stderr, b"");
    assert_eq!(listed.stdout.iter().filter(|byte| **byte == b'\n').count(), entries().len());
}

#[test]
fn what_cannot_be_said_is_refused() {
    let mut writer = ArchiveWriter::new(Vec::new());
    for bad in [
        entry(Kind::File, b"zero\0byte"),
        Entry { device: (1 << 21, 0), ..entry(Kind::Block, b"device") },
        entry(Kind::Unknown(b'x'), b"odd"),
    ] {
        assert_eq!(writer.entry(&bad).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
