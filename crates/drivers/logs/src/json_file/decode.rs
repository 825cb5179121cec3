//! Lines of the file, understood: as a whole, or just the time and the stream while seeking.

use crate::{Entry, Stream, timestamp};
use memchr::memmem;
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    log: Cow<'a, str>,
    #[serde(borrow, default)]
    stream: Cow<'a, str>,
    #[serde(default)]
    attrs: BTreeMap<String, String>,
    #[serde(borrow)]
    time: Cow<'a, str>,
}

/// The entry that a line holds; `None`: the line is torn or not ours.
pub(super) fn entry(line: &[u8]) -> Option<Entry> {
    let line: Line<'_> = serde_json::from_slice(line).ok()?;
    Some(Entry {
        stream: stream(line.stream.as_bytes()),
        unix_nanos: timestamp::parse(line.time.as_bytes())?,
        bytes: line.log.into_owned().into_bytes(),
        attributes: line.attrs,
    })
}

/// Only the stream and the time of an entry, read off the end of its line where it has the usual form.
pub(super) fn stream_and_time(line: &[u8]) -> Option<(Stream, i64)> {
    let usual = || {
        let body = line.trim_ascii_end().strip_suffix(b"\"}")?;
        let tail = &body[body.len().saturating_sub(timestamp::MAX_LEN + 20)..];
        let at = memmem::rfind(tail, b"\"time\":\"")?;
        let time = timestamp::parse(&tail[at + 8..])?;
        let head = &body[..body.len() - tail.len() + at];
        let head = head.strip_suffix(b"\",")?;
        let quote = memchr::memrchr(b'"', head)?;
        let (key, name) = head.split_at(quote + 1);
        key.ends_with(b",\"stream\":\"").then(|| (stream(name), time))
    };
    usual().or_else(|| entry(line).map(|entry| (entry.stream, entry.unix_nanos)))
}

fn stream(name: &[u8]) -> Stream {
    if name == b"stderr" { Stream::Stderr } else { Stream::Stdout }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_line_tells_as_much_as_the_whole() {
        let lines: [&[u8]; 5] = [
            br#"{"log":"a\n","stream":"stderr","time":"2026-01-02T03:04:05.12Z"}"#,
            br#"{"log":"\",\"stream\":\"stdout\",\"time\":\"","stream":"stderr","time":"2026-01-02T03:04:05Z"}"#,
            br#"{"log":"a","stream":"stderr","attrs":{"x":"y"},"time":"2026-01-02T03:04:05Z"}"#,
            br#"{"time":"2026-01-02T03:04:05Z","stream":"stderr","log":"other order"}"#,
            br#"{"log":"torn","stre"#,
        ];
        for line in lines {
            let whole = entry(line).map(|entry| (entry.stream, entry.unix_nanos));
            assert_eq!(stream_and_time(line), whole);
        }
        assert!(entry(lines[2]).unwrap().attributes.contains_key("x"));
    }
}
