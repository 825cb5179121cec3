//! Headers of entries as they are written: POSIX.1-2001, ustar with PAX records for what does not fit its fields.

use super::entry::{Entry, Kind, Time};
use super::{BLOCK, pax};
use std::io;
use tar::{EntryType, Header};

/// The largest number of a field with seven octal digits: modes, owners, device numbers.
const SEVEN_DIGITS: u64 = 0o777_7777;
/// The largest of one with eleven: sizes and times. 8 GiB less one byte.
const ELEVEN_DIGITS: u64 = 0o777_7777_7777;
/// Bytes of a name, and of a link's target.
const NAME: usize = 100;

/// All header blocks of an entry.
pub(super) fn of(entry: &Entry) -> io::Result<Vec<u8>> {
    if entry.path.contains(&0) || entry.link.contains(&0) {
        return Err(impossible("a name with a zero byte"));
    }
    let mut records = Vec::new();
    let main = main_header(entry, &mut records)?;
    let mut blocks = Vec::with_capacity(BLOCK * 3);
    if !records.is_empty() {
        blocks.extend_from_slice(extension(&entry.path, records.len()).as_bytes());
        blocks.extend_from_slice(&records);
        blocks.resize(blocks.len().next_multiple_of(BLOCK), 0);
    }
    blocks.extend_from_slice(main.as_bytes());
    Ok(blocks)
}

fn main_header(entry: &Entry, records: &mut Vec<u8>) -> io::Result<Header> {
    let mut header = Header::new_ustar();
    header.set_entry_type(entry_type(entry.kind)?);
    name(&mut header.as_old_mut().name, &entry.path, "path", records);
    name(&mut header.as_old_mut().linkname, &entry.link, "linkpath", records);
    header.set_mode(entry.mode & 0o7777);
    header.set_uid(number(entry.uid, SEVEN_DIGITS, "uid", records));
    header.set_gid(number(entry.gid, SEVEN_DIGITS, "gid", records));
    let size = if entry.kind == Kind::File { entry.size } else { 0 };
    header.set_size(number(size, ELEVEN_DIGITS, "size", records));
    header.set_mtime(time(entry.mtime, records));
    if matches!(entry.kind, Kind::Character | Kind::Block) {
        let (major, minor) = entry.device;
        if u64::from(major.max(minor)) > SEVEN_DIGITS {
            return Err(impossible("a device number that does not fit"));
        }
        header.set_device_major(major)?;
        header.set_device_minor(minor)?;
    }
    for (name, value) in &entry.xattrs {
        pax::write_record(records, &[pax::XATTR, name].concat(), value);
    }
    header.set_cksum();
    Ok(header)
}

fn entry_type(kind: Kind) -> io::Result<EntryType> {
    Ok(match kind {
        Kind::File => EntryType::Regular,
        Kind::HardLink => EntryType::Link,
        Kind::Symlink => EntryType::Symlink,
        Kind::Character => EntryType::Char,
        Kind::Block => EntryType::Block,
        Kind::Directory => EntryType::Directory,
        Kind::Fifo => EntryType::Fifo,
        Kind::Note | Kind::Unknown(_) => return Err(impossible("a kind of entry that is not written")),
    })
}

/// One that is too long is cut in the header: those who know PAX take the record.
fn name(field: &mut [u8; NAME], name: &[u8], key: &str, records: &mut Vec<u8>) {
    let length = name.len().min(NAME);
    field[..length].copy_from_slice(&name[..length]);
    if length < name.len() {
        pax::write_record(records, key.as_bytes(), name);
    }
}

/// What the field gets: the number, or nothing beside a record.
fn number(value: u64, most: u64, key: &str, records: &mut Vec<u8>) -> u64 {
    if value <= most {
        return value;
    }
    pax::write_record(records, key.as_bytes(), value.to_string().as_bytes());
    0
}

/// Likewise; with a record if it has a fraction or lies outside of what a header can say.
fn time(time: Time, records: &mut Vec<u8>) -> u64 {
    let seconds = u64::try_from(time.seconds).ok().filter(|seconds| *seconds <= ELEVEN_DIGITS);
    if seconds.is_none() || time.nanoseconds != 0 {
        pax::write_record(records, b"mtime", pax::time_text(time).as_bytes());
    }
    seconds.unwrap_or(0)
}

/// The header of the PAX records. Its name is for programs that know no PAX: they make a file of it.
fn extension(path: &[u8], size: usize) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(EntryType::XHeader);
    let base = path.split(|&byte| byte == b'/').rfind(|part| !part.is_empty()).unwrap_or(b".");
    let mut name = [b"PaxHeaders.0/", base].concat();
    name.truncate(NAME);
    header.as_old_mut().name[..name.len()].copy_from_slice(&name);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(size as u64);
    header.set_cksum();
    header
}

fn impossible(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}
