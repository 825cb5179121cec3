//! Shortening, ordering and taking apart of ids, names and long texts.

use std::cmp::Ordering;

/// The first twelve digits of an id, without `sha256:`.
pub(crate) fn short_id(id: &str) -> &str {
    let digits = id.split_once(':').map_or(id, |(_, digits)| digits);
    digits.get(..12).unwrap_or(digits)
}

/// At most `width` columns, the last of them `…` when something is left out.
pub(crate) fn ellipsis(text: &str, width: usize) -> String {
    if text.chars().map(columns).sum::<usize>() <= width {
        return text.to_owned();
    }
    let mut used = 0;
    let mut out: String = text
        .chars()
        .take_while(|c| {
            used += columns(*c);
            used < width
        })
        .collect();
    out.push('…');
    out
}

/// Two for East Asian wide characters.
fn columns(c: char) -> usize {
    let wide = matches!(u32::from(c),
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1f64f | 0x20000..=0x3fffd);
    if wide { 2 } else { 1 }
}

/// Go's `strconv.Quote`.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            c if u32::from(c) < 0x20 || c == '\u{7f}' => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// A reference as people write it: without `docker.io/library/`.
pub(crate) fn familiar(reference: &str) -> &str {
    let short = reference.strip_prefix("docker.io/").unwrap_or(reference);
    short.strip_prefix("library/").filter(|rest| !rest.contains('/')).unwrap_or(short)
}

/// Numbers within the text count by their value.
pub(crate) fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else { return a.len().cmp(&b.len()) };
        if x.is_ascii_digit() && y.is_ascii_digit() {
            let digits = |s: &str| s.find(|c: char| !c.is_ascii_digit()).unwrap_or(s.len());
            let (n, m) = (digits(a), digits(b));
            let value = |s: &str| s.parse::<u128>().unwrap_or(u128::MAX);
            match value(&a[..n]).cmp(&value(&b[..m])).then(n.cmp(&m)) {
                Ordering::Equal => (a, b) = (&a[n..], &b[m..]),
                decided => return decided,
            }
        } else if x == y {
            (a, b) = (&a[x.len_utf8()..], &b[y.len_utf8()..]);
        } else {
            return x.cmp(&y);
        }
    }
}

/// A name as one segment of an API path.
pub(crate) fn path_segment(name: &str) -> String {
    name.bytes().fold(String::with_capacity(name.len()), |mut out, byte| {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'_'
            | b'.'
            | b'~'
            | b'/'
            | b':'
            | b'@'
            | b'+' => {
                out.push(byte.into());
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
        out
    })
}

/// Splits `host:5000/name:tag@digest` into name, tag and digest.
pub(crate) fn split_reference(reference: &str) -> (&str, Option<&str>, Option<&str>) {
    let (rest, digest) = match reference.split_once('@') {
        Some((rest, digest)) => (rest, Some(digest)),
        None => (reference, None),
    };
    match rest.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, Some(tag), digest),
        _ => (rest, None, digest),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_sort_by_number() {
        let mut lines = ["80/tcp -> x", "443/tcp -> x", "9/tcp -> x"];
        lines.sort_by(|a, b| natural(a, b));
        assert_eq!(lines, ["9/tcp -> x", "80/tcp -> x", "443/tcp -> x"]);
    }

    #[test]
    fn shortening() {
        assert_eq!(short_id("sha256:0123456789abcdef"), "0123456789ab");
        assert_eq!(ellipsis("sh -c 'sleep 1000000'", 20), "sh -c 'sleep 100000…");
        assert_eq!(ellipsis("exactly", 7), "exactly");
        assert_eq!(quote("a \"b\"\n\u{1}"), r#""a \"b\"\n\x01""#);
        assert_eq!(familiar("docker.io/library/busybox"), "busybox");
        assert_eq!(split_reference("h:5000/a/b:1@sha256:x"), ("h:5000/a/b", Some("1"), Some("sha256:x")));
        assert_eq!(split_reference("h:5000/a"), ("h:5000/a", None, None));
    }
}
