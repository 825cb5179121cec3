//! Points in time as clients write them, and as Docker writes them.

use errors::{Class, Classified};
use jiff::Timestamp;

const NANOS: i64 = 1_000_000_000;

/// What Go prints for a time that was never set.
pub(crate) const ZERO: &str = "0001-01-01T00:00:00Z";

/// A text that is not a time.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid timestamp '{text}': expected seconds since 1970, with a fraction if wanted, or RFC 3339")]
pub(crate) struct TimestampError {
    text: String,
}

impl Classified for TimestampError {
    fn class(&self) -> Class {
        Class::Invalid
    }
}

/// `1700000000`, `1700000000.5`, `2024-01-02T03:04:05.6Z`: nanoseconds since 1970.
pub(crate) fn parse(text: &str) -> Result<i64, TimestampError> {
    unix(text).or_else(|| rfc3339(text)).ok_or_else(|| TimestampError { text: text.to_owned() })
}

/// RFC 3339 in UTC with as many digits of the fraction as it needs; none: Go's zero time.
pub(crate) fn format(nanoseconds: Option<i64>) -> String {
    nanoseconds
        .and_then(|at| Timestamp::from_nanosecond(i128::from(at)).ok())
        .map_or_else(|| ZERO.to_owned(), |at| at.to_string())
}

fn unix(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || (fraction.is_empty() && text.ends_with('.')) {
        return None;
    }
    let digits: String = fraction.chars().chain(std::iter::repeat('0')).take(9).collect();
    let nanos: i64 = digits.parse().ok()?;
    seconds.checked_mul(NANOS)?.checked_add(nanos)
}

fn rfc3339(text: &str) -> Option<i64> {
    let at: Timestamp = text.parse().ok()?;
    i64::try_from(at.as_nanosecond()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_with_fractions_and_rfc3339_are_read() {
        assert_eq!(parse("1700000000"), Ok(1_700_000_000 * NANOS));
        assert_eq!(parse("1700000000.5"), Ok(1_700_000_000 * NANOS + 500_000_000));
        assert_eq!(parse("1700000000.000000001"), Ok(1_700_000_000 * NANOS + 1));
        assert_eq!(parse("1700000000.1234567899"), Ok(1_700_000_000 * NANOS + 123_456_789));
        assert_eq!(parse("2023-11-14T22:13:20Z"), Ok(1_700_000_000 * NANOS));
        assert_eq!(parse("2023-11-14T23:13:20.25+01:00"), Ok(1_700_000_000 * NANOS + 250_000_000));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "yesterday", "1.x", "1.", "1e9", "2023-11-14", "99999999999999999999"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_are_written_as_go_writes_them() {
        assert_eq!(format(None), "0001-01-01T00:00:00Z");
        assert_eq!(format(Some(1_700_000_000 * NANOS)), "2023-11-14T22:13:20Z");
        assert_eq!(format(Some(1_700_000_000 * NANOS + 120_000_000)), "2023-11-14T22:13:20.12Z");
    }
}
