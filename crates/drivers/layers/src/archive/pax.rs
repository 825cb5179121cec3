//! PAX extended headers (POSIX.1-2001, `pax` interchange format): `length key=value\n`.

use super::entry::{Extent, Time};
use super::sparse::{self, PaxSparse};

/// Extended attributes, as star and GNU tar write them.
pub(super) const XATTR: &[u8] = b"SCHILY.xattr.";
const SPARSE: &[u8] = b"GNU.sparse.";

/// All attributes of one entry together, and how many it may have.
const MAX_XATTRS: usize = 1 << 20;
const MAX_XATTR_NAME: usize = 255;

/// What an extended header says about the entry behind it.
#[derive(Debug, Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u64>,
    pub(super) gid: Option<u64>,
    pub(super) mtime: Option<Time>,
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) sparse: PaxSparse,
}

impl Pax {
    /// Parses all records of a header's content.
    pub(super) fn parse(mut content: &[u8]) -> Result<Self, &'static str> {
        let mut pax = Self::default();
        let mut attributes = 0;
        while !content.is_empty() {
            let (record, rest) = split_record(content).ok_or("a malformed PAX record")?;
            content = rest;
            let split = record.iter().position(|&b| b == b'=').ok_or("a PAX record without a key")?;
            let (key, value) = (&record[..split], &record[split + 1..]);
            attributes += if key.starts_with(XATTR) { record.len() } else { 0 };
            if attributes > MAX_XATTRS {
                return Err("more than a megabyte of extended attributes");
            }
            pax.set(key, value)?;
        }
        Ok(pax)
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        match key {
            b"path" => self.path = text(value)?,
            b"linkpath" => self.link = text(value)?,
            b"size" => self.size = number(value)?,
            b"uid" => self.uid = number(value)?,
            b"gid" => self.gid = number(value)?,
            b"mtime" => self.mtime = Some(time(value).ok_or("a malformed PAX time")?),
            _ => {
                if let Some(name) = key.strip_prefix(XATTR) {
                    self.attribute(name, value)?;
                } else if let Some(key) = key.strip_prefix(SPARSE) {
                    self.sparse(key, value)?;
                }
            }
        }
        Ok(())
    }

    fn attribute(&mut self, name: &[u8], value: &[u8]) -> Result<(), &'static str> {
        if name.is_empty() || name.len() > MAX_XATTR_NAME || name.contains(&0) {
            return Err("an extended attribute with an impossible name");
        }
        self.xattrs.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    fn sparse(&mut self, key: &[u8], value: &[u8]) -> Result<(), &'static str> {
        let sparse = &mut self.sparse;
        match key {
            b"major" => sparse.major = number(value)?,
            b"minor" => sparse.minor = number(value)?,
            b"name" => sparse.name = text(value)?,
            b"realsize" | b"size" => sparse.size = number(value)?,
            b"map" => sparse.map = Some(sparse::parse_map(value)?),
            b"offset" => sparse.offset = number(value)?,
            b"numbytes" => {
                let offset = sparse.offset.take().ok_or("a sparse map without an offset")?;
                let length = number(value)?.ok_or("a sparse map without a length")?;
                sparse.map.get_or_insert_default().push(Extent { offset, length });
            }
            _ => {}
        }
        Ok(())
    }
}

/// The record at the beginning without length and newline, and what is behind it.
fn split_record(content: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = content.iter().take(20).position(|&b| b == b' ')?;
    let length: usize = std::str::from_utf8(&content[..space]).ok()?.parse().ok()?;
    let record = content.get(space + 1..length)?;
    let (b'\n', record) = record.split_last()? else { return None };
    Some((record, &content[length..]))
}

/// An empty value takes back what an earlier header said.
fn text(value: &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
    if value.contains(&0) {
        return Err("a name with a zero byte");
    }
    Ok((!value.is_empty()).then(|| value.to_owned()))
}

fn number(value: &[u8]) -> Result<Option<u64>, &'static str> {
    if value.is_empty() {
        return Ok(None);
    }
    sparse::decimal(value).map(Some).ok_or("a malformed PAX number")
}

/// Seconds with an optional sign and fraction, of which nine digits count. Rounded down, as POSIX says.
fn time(value: &[u8]) -> Option<Time> {
    let text = std::str::from_utf8(value).ok()?;
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if !fraction.bytes().all(|b| b.is_ascii_digit()) || whole.starts_with('+') {
        return None;
    }
    let seconds: i64 = whole.parse().ok()?;
    let padded: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    let nanoseconds: u32 = padded.parse().ok()?;
    Some(match (negative, nanoseconds) {
        (false, nanoseconds) => Time { seconds, nanoseconds },
        (true, 0) => Time { seconds: -seconds, nanoseconds },
        (true, nanoseconds) => Time { seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds },
    })
}

/// Appends one record. Its length counts its own digits.
pub(super) fn write_record(records: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + rest.to_string().len();
    if length.to_string().len() > rest.to_string().len() {
        length += 1;
    }
    records.extend_from_slice(length.to_string().as_bytes());
    for part in [b" ", key, b"=", value, b"\n"] {
        records.extend_from_slice(part);
    }
}

/// As [`time`] reads it: the fraction goes on from the whole seconds away from zero.
pub(super) fn time_text(time: Time) -> String {
    let Time { seconds, nanoseconds } = time;
    let (sign, whole, fraction) = match (seconds < 0, nanoseconds) {
        (false, _) => ("", seconds.unsigned_abs(), nanoseconds),
        (true, 0) => ("-", seconds.unsigned_abs(), 0),
        (true, _) => ("-", seconds.unsigned_abs() - 1, 1_000_000_000 - nanoseconds),
    };
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    format!("{sign}{whole}.{}", format!("{fraction:09}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key: &str, value: &[u8]) -> Vec<u8> {
        let mut record = Vec::new();
        write_record(&mut record, key.as_bytes(), value);
        record
    }

    #[test]
    fn lengths_count_their_own_digits() {
        assert_eq!(record("a", b"b"), b"6 a=b\n");
        for length in 0..1100 {
            let record = record("path", &vec![b'x'; length]);
            assert_eq!(split_record(&record).unwrap().1, b"", "{length}");
        }
    }

    #[test]
    fn times_are_read_as_they_were_written() {
        for (seconds, nanoseconds, text) in [
            (0, 0, "0"),
            (12, 250_000_000, "12.25"),
            (-2, 750_000_000, "-1.25"),
            (-1, 999_999_999, "-0.000000001"),
            (-3, 0, "-3"),
        ] {
            let at = Time { seconds, nanoseconds };
            assert_eq!(time_text(at), text);
            assert_eq!(time(text.as_bytes()), Some(at));
        }
    }

    #[test]
    fn values_may_hold_newlines_and_zeros() {
        let value = b"a\n12 b=c\n\0".to_vec();
        let content = [record("SCHILY.xattr.user.x", &value), record("path", b"p")].concat();
        let pax = Pax::parse(&content).unwrap();
        assert_eq!(pax.xattrs, [(b"user.x".to_vec(), value)]);
        assert_eq!(pax.path.as_deref(), Some(&b"p"[..]));
    }

    #[test]
    fn malformed_records_are_refused() {
        for bad in [
            &b"x"[..],
            b"5 a=b",
            b"9 a=b\n",
            b"6 a=bc\n",
            b"99999999999999999999 a=b\n",
            b"-6 a=b\n",
            b"5 ab\n",
            b"0 a=b\n",
            b"2 \n",
            b"3 \n",
        ] {
            assert!(Pax::parse(bad).is_err(), "{}", bad.escape_ascii());
        }
        for (key, value) in [("uid", "x"), ("size", "-1"), ("path", "a\0b"), ("mtime", "1.x"), ("uid", "1e3")]
        {
            assert!(Pax::parse(&record(key, value.as_bytes())).is_err(), "{key}");
        }
    }

    #[test]
    fn times_are_rounded_down() {
        let at = |text: &str| time(text.as_bytes()).map(|t| (t.seconds, t.nanoseconds));
        assert_eq!(at("12.5"), Some((12, 500_000_000)));
        assert_eq!(at("12.1234567899"), Some((12, 123_456_789)));
        assert_eq!(at("-1.25"), Some((-2, 750_000_000)));
        assert_eq!(at("-3"), Some((-3, 0)));
        assert_eq!(at(""), None);
    }
}
