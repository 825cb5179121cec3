//! Parts of content: what a client wants to have, and what it says it sends.

use std::ops::Range;

/// What a `Range` header asks of content of some size (RFC 9110, section 14).
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All: nothing else was asked for, or something that a server may ignore, such as several parts.
    Whole,
    /// This part, which lies in the content.
    Part(Range<u64>),
    /// A part of which nothing lies in the content.
    Nothing,
}

/// Reads a `Range` header.
pub(crate) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some((first, last)) =
        header.and_then(|text| text.strip_prefix("bytes=")).and_then(|r| r.split_once('-'))
    else {
        return Wanted::Whole;
    };
    let part = match (number(first), number(last)) {
        (Some(first), Some(last)) if first <= last => first..size.min(last.saturating_add(1)),
        (Some(first), None) if last.is_empty() => first..size,
        (None, Some(count)) if first.is_empty() => size.saturating_sub(count)..size,
        _ => return Wanted::Whole,
    };
    if part.start < part.end { Wanted::Part(part) } else { Wanted::Nothing }
}

/// The `Content-Range` of a piece of an upload, `<first>-<last>`; some clients write it as RFC 9110 has it.
pub(crate) fn sent(header: &str) -> Option<Range<u64>> {
    let text = header.strip_prefix("bytes ").unwrap_or(header);
    let text = text.split_once('/').map_or(text, |(range, _)| range);
    let (first, last) = text.split_once('-')?;
    let (first, last) = (number(first)?, number(last)?);
    (first <= last).then_some(first..last.checked_add(1)?)
}

/// Digits and nothing else.
fn number(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_cut_to_the_content() {
        let wanted = |text| super::wanted(Some(text), 10);
        assert_eq!(wanted("bytes=2-4"), Wanted::Part(2..5));
        assert_eq!(wanted("bytes=2-"), Wanted::Part(2..10));
        assert_eq!(wanted("bytes=-3"), Wanted::Part(7..10));
        assert_eq!(wanted("bytes=-30"), Wanted::Part(0..10));
        assert_eq!(wanted("bytes=9-18446744073709551615"), Wanted::Part(9..10));
        for nothing in ["bytes=10-", "bytes=10-12", "bytes=-0"] {
            assert_eq!(wanted(nothing), Wanted::Nothing, "{nothing}");
        }
        for ignored in
            ["bytes=", "bytes=-", "bytes=4-2", "bytes=1-2,4-5", "lines=1-2", "bytes=+1-2", "bytes=a-b"]
        {
            assert_eq!(wanted(ignored), Wanted::Whole, "{ignored}");
        }
        assert_eq!(super::wanted(None, 10), Wanted::Whole);
    }

    #[test]
    fn pieces_say_where_they_belong() {
        assert_eq!(sent("0-9"), Some(0..10));
        assert_eq!(sent("bytes 5-9/10"), Some(5..10));
        for bad in ["", "-", "5", "9-5", "a-b", "-5", "0-18446744073709551615"] {
            assert_eq!(sent(bad), None, "{bad}");
        }
    }
}
