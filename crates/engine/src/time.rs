//! Points in time as clients write them.

use sys::clock::now;

/// Nanoseconds since 1970 of a Unix time (`1700000000.5`), an RFC 3339 time, or a duration before now (`1h30m`).
pub(crate) fn parse(text: &str) -> Option<i64> {
    if let Some(nanos) = unix(text) {
        return Some(nanos);
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return i64::try_from(time.as_nanosecond()).ok();
    }
    duration(text).map(|nanos| now() - nanos)
}

fn unix(text: &str) -> Option<i64> {
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(seconds) || !digits(fraction) || fraction.len() > 9 {
        return None;
    }
    let nanos: i64 = format!("{fraction:0<9}").parse().ok()?;
    seconds.parse::<i64>().ok()?.checked_mul(1_000_000_000)?.checked_add(nanos)
}

/// Go's `time.ParseDuration`, in nanoseconds.
fn duration(text: &str) -> Option<i64> {
    let mut rest = text;
    let mut total = 0.0_f64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let value: f64 = rest[..number].parse().ok()?;
        rest = &rest[number..];
        let unit = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
        total += value
            * match &rest[..unit] {
                "ns" => 1.0,
                "us" | "µs" => 1e3,
                "ms" => 1e6,
                "s" => 1e9,
                "m" => 60e9,
                "h" => 3600e9,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    #[expect(clippy::cast_possible_truncation, reason = "as saturates, which is what a far past should do")]
    Some(total as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_unix_rfc3339_or_go_durations() {
        assert_eq!(parse("1700000000"), Some(1_700_000_000_000_000_000));
        assert_eq!(parse("1700000000.25"), Some(1_700_000_000_250_000_000));
        assert_eq!(parse("2023-11-14T22:13:20Z"), Some(1_700_000_000_000_000_000));
        assert_eq!(duration("1h30m"), Some(5_400_000_000_000));
        assert_eq!(parse("yesterday"), None);
        assert_eq!(parse(""), None);
    }
}
