//! One line of the file, with exactly the bytes that Docker writes.

use crate::{Stream, timestamp};

/// Appends `{"log":"…","stream":"…","time":"…"}` and a newline. `attributes` is a JSON object or empty.
pub(super) fn push_line(out: &mut Vec<u8>, stream: Stream, unix_nanos: i64, log: &[u8], attributes: &str) {
    out.extend_from_slice(b"{\"log\":\"");
    push_escaped(out, log);
    out.extend_from_slice(b"\",\"stream\":\"");
    out.extend_from_slice(stream.as_str().as_bytes());
    if !attributes.is_empty() {
        out.extend_from_slice(b"\",\"attrs\":");
        out.extend_from_slice(attributes.as_bytes());
        out.extend_from_slice(b",\"time\":\"");
    } else {
        out.extend_from_slice(b"\",\"time\":\"");
    }
    timestamp::push(out, unix_nanos);
    out.extend_from_slice(b"\"}\n");
}

/// The text of a JSON string as Go's encoder escapes it for HTML: `<`, `>`, `&`, U+2028 and U+2029 too, and each
/// byte that is no UTF-8 as U+FFFD.
fn push_escaped(out: &mut Vec<u8>, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        push_valid(out, chunk.valid().as_bytes());
        for _ in chunk.invalid() {
            out.extend_from_slice(b"\\ufffd");
        }
    }
}

fn push_valid(out: &mut Vec<u8>, bytes: &[u8]) {
    let mut plain = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if !SPECIAL[usize::from(byte)] {
            continue;
        }
        // U+2028 and U+2029 are E2 80 A8 and E2 80 A9; all else that begins with E2 stays.
        let separator = byte == 0xe2 && matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xa8 | 0xa9]));
        if byte == 0xe2 && !separator {
            continue;
        }
        out.extend_from_slice(&bytes[plain..at]);
        plain = at + if separator { 3 } else { 1 };
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0xe2 => out.extend_from_slice(if bytes[at + 2] == 0xa8 { b"\\u2028" } else { b"\\u2029" }),
            _ => {
                let hex = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[hex[usize::from(byte >> 4)], hex[usize::from(byte & 15)]]);
            }
        }
    }
    out.extend_from_slice(&bytes[plain..]);
}

/// Bytes that do not stand for themselves, and the one that may begin such a character.
const SPECIAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = true;
        byte += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table[b'<' as usize] = true;
    table[b'>' as usize] = true;
    table[b'&' as usize] = true;
    table[0xe2] = true;
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    fn line(log: &[u8], attributes: &str) -> String {
        let mut out = Vec::new();
        push_line(&mut out, Stream::Stderr, 1_767_323_045_120_000_000, log, attributes);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn lines_are_dockers() {
        assert_eq!(
            line(b"hi\n", ""),
            "{\"log\":\"hi\\n\",\"stream\":\"stderr\",\"time\":\"2026-01-02T03:04:05.12Z\"}\n"
        );
        assert_eq!(
            line(b"", r#"{"a":"b"}"#),
            "{\"log\":\"\",\"stream\":\"stderr\",\"attrs\":{\"a\":\"b\"},\"time\":\"2026-01-02T03:04:05.12Z\"}\n"
        );
    }

    #[test]
    fn text_is_escaped_as_go_does() {
        let escaped = |bytes: &[u8]| {
            let mut out = Vec::new();
            push_escaped(&mut out, bytes);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(
            escaped(b"<a href=\"x\">&\\\t\x1b[0m\x7f\r\n"),
            "\\u003ca href=\\\"x\\\"\\u003e\\u0026\\\\\\u0009\\u001b[0m\x7f\\r\\n"
        );
        assert_eq!(escaped("é€𝄞\u{2028}x\u{2029}".as_bytes()), "é€𝄞\\u2028x\\u2029");
        assert_eq!(escaped(b"a\xff\xe2\x82b"), "a\\ufffd\\ufffd\\ufffdb");
    }
}
