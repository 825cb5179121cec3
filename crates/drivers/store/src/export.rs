//! All records as a text, for backups and for the way from one backend to another.
//!
//! JSON, one value a line: a head that says what it is and of which version, a record a line, and at the end the SHA-256 of all
//! that stands above. So a file that was cut off or changed is found.

use crate::stored::Stored;
use crate::{Entry, Listing, Revision, key};
use errors::{Class, Classified};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::{self, Write};

const FORMAT: &str = "container-runtime state";
const VERSION: u64 = 1;

#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: String,
    version: u64,
    #[serde(default)]
    revision: Revision,
    #[serde(default)]
    records: usize,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Foot {
    sha256: String,
}

/// Why an export can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Something else.
    #[error("it is no export of a state store")]
    Foreign,
    /// Written by a later version of this program.
    #[error(
        "it has version {found} of the format, this program knows up to {VERSION}: import it with the newer one"
    )]
    Newer {
        /// Its version.
        found: u64,
    },
    /// Cut off.
    #[error("its end is missing")]
    Cut,
    /// Changed.
    #[error("line {line} is not what was written: {reason}")]
    Damaged {
        /// From 1.
        line: usize,
        /// What was found.
        reason: String,
    },
}

impl Classified for ExportError {
    fn class(&self) -> Class {
        match self {
            Self::Newer { .. } => Class::Unsupported,
            Self::Foreign | Self::Cut | Self::Damaged { .. } => Class::Invalid,
        }
    }
}

/// Writes all that was listed.
///
/// # Errors
/// Those of `to`.
pub fn write_export(listing: &Listing, to: &mut impl Write) -> io::Result<()> {
    let mut hash = Sha256::new();
    let mut line = |json: serde_json::Result<Vec<u8>>| -> io::Result<()> {
        let mut bytes = json?;
        bytes.push(b'\n');
        hash.update(&bytes);
        to.write_all(&bytes)
    };
    let head = Head {
        format: FORMAT.to_owned(),
        version: VERSION,
        revision: listing.revision,
        records: listing.entries.len(),
    };
    line(serde_json::to_vec(&head))?;
    for (key, entry) in &listing.entries {
        line(serde_json::to_vec(&Stored::new(key, entry.modified, Some(entry))))?;
    }
    let foot = Foot { sha256: hex::encode(hash.finalize()) };
    to.write_all(format!("{}\n", serde_json::to_string(&foot)?).as_bytes())
}

/// Reads what [`write_export`] wrote, all of it or nothing.
///
/// # Errors
/// [`ExportError`]
pub fn read_export(bytes: &[u8]) -> Result<Listing, ExportError> {
    let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let head: Head = serde_json::from_slice(first).map_err(|_| ExportError::Foreign)?;
    if head.format != FORMAT {
        return Err(ExportError::Foreign);
    }
    if head.version > VERSION {
        return Err(ExportError::Newer { found: head.version });
    }
    let body = bytes.strip_suffix(b"\n").ok_or(ExportError::Cut)?;
    let end = memchr::memrchr(b'\n', body).ok_or(ExportError::Cut)? + 1;
    let foot: Foot = serde_json::from_slice(&body[end..]).map_err(|_| ExportError::Cut)?;
    let mut entries: Vec<(String, Entry)> = Vec::with_capacity(head.records.min(1 << 20));
    for (number, line) in bytes[..end].split_inclusive(|byte| *byte == b'\n').enumerate().skip(1) {
        let damaged = |reason: String| ExportError::Damaged { line: number + 1, reason };
        let stored: Stored = serde_json::from_slice(line).map_err(|error| damaged(error.to_string()))?;
        let entry = stored.entry().map_err(damaged)?.ok_or_else(|| damaged("it is a deletion".to_owned()))?;
        key::validate(&stored.key).map_err(|error| damaged(error.to_string()))?;
        if entries.last().is_some_and(|(last, _)| *last >= stored.key) {
            return Err(damaged("its key is not in order".to_owned()));
        }
        entries.push((stored.key, entry));
    }
    if hex::encode(Sha256::digest(&bytes[..end])) != foot.sha256 || entries.len() != head.records {
        let reason = "the lines above do not have the checksum that it names".to_owned();
        return Err(ExportError::Damaged { line: entries.len() + 2, reason });
    }
    Ok(Listing { revision: head.revision, entries })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        let entry = |value: &[u8]| Entry { value: value.into(), created: 2, modified: 7 };
        let values: [(&str, &[u8]); 4] = [("a", b"{\"x\":1}"), ("b", b"text\n"), ("c", b"\xff"), ("d", b"")];
        Listing { revision: 9, entries: values.map(|(key, value)| (key.to_owned(), entry(value))).to_vec() }
    }

    fn exported() -> Vec<u8> {
        let mut bytes = Vec::new();
        write_export(&listing(), &mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_written_is_read_back_and_a_line_is_a_record() {
        let bytes = exported();
        assert_eq!(read_export(&bytes).unwrap(), listing());
        assert_eq!(String::from_utf8(bytes).unwrap().lines().count(), 1 + 4 + 1);
        let empty = Listing { revision: 0, entries: Vec::new() };
        let mut bytes = Vec::new();
        write_export(&empty, &mut bytes).unwrap();
        assert_eq!(read_export(&bytes).unwrap(), empty);
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_found() {
        let bytes = exported();
        for length in 0..bytes.len() {
            read_export(&bytes[..length]).unwrap_err();
        }
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(read_export(&bytes).is_err(), "bit {bit}");
        }
    }

    #[test]
    fn other_files_and_newer_ones_are_told_apart() {
        assert!(matches!(read_export(b"{\"auths\":{}}\n"), Err(ExportError::Foreign)));
        let newer = String::from_utf8(exported()).unwrap().replace("\"version\":1", "\"version\":2");
        assert!(matches!(read_export(newer.as_bytes()), Err(ExportError::Newer { found: 2 })));
    }
}
