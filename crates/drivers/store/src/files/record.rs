//! One record as a file, and what shows that it is still what was written.

use crate::stored::Stored;
use crate::{Entry, Revision};
use sha2::{Digest, Sha256};

/// Longer names of files than this are shortened: 255 bytes is what file systems take.
const LONGEST_NAME: usize = 200;
const SUFFIX: &str = ".json";

/// Over key, revisions and value; in hex.
pub(super) fn checksum(key: &str, revision: Revision, entry: Option<&Entry>) -> String {
    let mut hash = Sha256::new();
    hash.update(key.len().to_le_bytes());
    hash.update(key);
    hash.update(revision.to_le_bytes());
    if let Some(entry) = entry {
        hash.update(entry.created.to_le_bytes());
        hash.update(&entry.value);
    }
    hex::encode(hash.finalize())
}

/// The content of a record's file.
pub(super) fn encode(key: &str, revision: Revision, entry: Option<&Entry>) -> serde_json::Result<Vec<u8>> {
    let mut stored = Stored::new(key, revision, entry);
    stored.checksum = Some(checksum(key, revision, entry));
    let mut bytes = serde_json::to_vec_pretty(&stored)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// A file's record, checked; the reason if it is not what was written.
pub(super) fn decode(bytes: &[u8]) -> Result<(Stored, Option<Entry>), String> {
    let stored: Stored = serde_json::from_slice(bytes).map_err(|error| error.to_string())?;
    let entry = stored.entry()?;
    if stored.checksum.as_deref() == Some(&checksum(&stored.key, stored.modified, entry.as_ref())) {
        Ok((stored, entry))
    } else {
        Err("its content does not have the checksum that it names".to_owned())
    }
}

/// The file's name. Two keys never share one: what is no letter, digit, `-`, `_` or `.` is written as `%2F`.
pub(super) fn file_name(key: &str) -> String {
    let mut name = String::with_capacity(key.len() + 8);
    for byte in key.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(byte)),
            // Not first: such files are hidden, and temporary ones are called so.
            b'.' if !name.is_empty() => name.push('.'),
            other => name.push_str(&format!("%{other:02X}")),
        }
    }
    if name.len() > LONGEST_NAME {
        // '~' is in no other name.
        let hash = hex::encode(Sha256::digest(key));
        name.truncate(LONGEST_NAME - hash.len());
        name.push('~');
        name.push_str(&hash);
    }
    name + SUFFIX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back_byte_for_byte() {
        let values: [&[u8]; 8] = [
            b"{\"a\":1, \"b\": [1.0e5]}",
            b" {}",
            b"{}\n",
            b"",
            b"plain",
            b"\xff\x00",
            b"null",
            "\"ü\"".as_bytes(),
        ];
        for value in values {
            let entry = Entry { value: value.into(), created: 3, modified: 9 };
            let bytes = encode("a/b", 9, Some(&entry)).unwrap();
            let (stored, found) = decode(&bytes).unwrap();
            assert_eq!(
                (stored.key.as_str(), found),
                ("a/b", Some(entry)),
                "{}",
                String::from_utf8_lossy(&bytes)
            );
        }
        let gone = encode("a", 4, None).unwrap();
        assert_eq!(decode(&gone).unwrap().1, None);
    }

    #[test]
    fn names_of_files_are_short_and_never_shared() {
        assert_eq!(file_name("containers/a.b"), "containers%2Fa.b.json");
        assert_eq!(file_name(".x"), "%2Ex.json");
        let long = ["k".repeat(1024), format!("{}l", "k".repeat(1023)), "/ü".repeat(100)];
        let names: std::collections::BTreeSet<_> = long.iter().map(|key| file_name(key)).collect();
        assert_eq!(names.len(), 3);
        assert!(names.iter().all(|name| name.len() < 210), "{names:?}");
    }
}
