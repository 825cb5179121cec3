//! Points in time: as Go prints them, as people give them (`--since 10m`).

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The present.
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}

/// How long ago a time of the daemon is, as `3 minutes ago`.
pub(crate) fn ago(seconds: i64) -> String {
    let elapsed = now().as_millisecond() as f64 / 1000.0 - seconds as f64;
    format!("{} ago", super::units::human_duration(elapsed))
}

/// Go's `time.Unix(s, 0).String()` in the local zone: `2025-01-31 12:00:00 +0100 CET`.
pub(crate) fn local(seconds: i64) -> String {
    shown(seconds, "%Y-%m-%d %H:%M:%S %z %Z")
}

/// RFC 3339 in the local zone, whole seconds: `2025-01-31T12:00:00+01:00`.
pub(crate) fn rfc3339_local(seconds: i64) -> String {
    let text = shown(seconds, "%Y-%m-%dT%H:%M:%S%:z");
    text.strip_suffix("+00:00").map_or_else(|| text.clone(), |utc| format!("{utc}Z"))
}

/// RFC 3339 in the local zone with nanoseconds, as the event log prints.
pub(crate) fn rfc3339_nano_local(nanoseconds: i64) -> String {
    let Ok(timestamp) = Timestamp::from_nanosecond(i128::from(nanoseconds)) else {
        return nanoseconds.to_string();
    };
    let text = zoned(timestamp).strftime("%Y-%m-%dT%H:%M:%S.%9f%:z").to_string();
    text.strip_suffix("+00:00").map_or_else(|| text.clone(), |utc| format!("{utc}Z"))
}

fn shown(seconds: i64, format: &str) -> String {
    match Timestamp::from_second(seconds) {
        Ok(timestamp) => zoned(timestamp).strftime(format).to_string(),
        Err(_) => seconds.to_string(),
    }
}

fn zoned(timestamp: Timestamp) -> Zoned {
    timestamp.to_zoned(TimeZone::system())
}

/// An RFC 3339 time as Go's `Time.String()` prints it: `2025-01-31 12:00:00.123 +0000 UTC`.
pub(crate) fn go_time(rfc3339: &str) -> String {
    let Ok(timestamp) = rfc3339.parse::<Timestamp>() else { return rfc3339.to_owned() };
    timestamp.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S%.f +0000 UTC").to_string()
}

/// Go's `ANSIC`-like form in which `docker version` prints build times.
pub(crate) fn ansic(rfc3339: &str) -> String {
    match rfc3339.parse::<Timestamp>() {
        Ok(timestamp) => timestamp.to_zoned(TimeZone::UTC).strftime("%a %b %e %H:%M:%S %Y").to_string(),
        Err(_) => rfc3339.to_owned(),
    }
}

/// Makes a `--since`/`--until` value into `seconds.nanoseconds`: a Go duration counts back from now, dates are
/// read in the local zone, and Unix times pass through.
pub(crate) fn to_unix(text: &str) -> Result<String, String> {
    if let Ok(back) = crate::flags::duration::parse(text) {
        let then = now().as_nanosecond() - i128::from(back);
        return Ok(format!("{}.{:09}", then.div_euclid(1_000_000_000), then.rem_euclid(1_000_000_000)));
    }
    if text.split('.').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()))
        && text.matches('.').count() <= 1
    {
        return Ok(text.to_owned());
    }
    let invalid = || format!("failed to parse value as time or duration: {text:?}");
    let timestamp = match text.parse::<Timestamp>() {
        Ok(timestamp) => timestamp,
        Err(_) => {
            let civil: jiff::civil::DateTime = match text.parse() {
                Ok(civil) => civil,
                // `2013-01-02Z` and `2013-01-02T15:04Z` lack what a timestamp needs.
                Err(_) => text.trim_end_matches('Z').parse().map_err(|_| invalid())?,
            };
            let zone = if text.ends_with('Z') { TimeZone::UTC } else { TimeZone::system() };
            zone.to_timestamp(civil).map_err(|_| invalid())?
        }
    };
    Ok(format!("{}.{:09}", timestamp.as_second(), timestamp.subsec_nanosecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_as_given() {
        assert_eq!(to_unix("1700000000.5").unwrap(), "1700000000.5");
        assert_eq!(to_unix("2023-11-14T22:13:20Z").unwrap(), "1700000000.000000000");
        assert_eq!(to_unix("2023-11-14T22:13:20.25+00:00").unwrap(), "1700000000.250000000");
        assert_eq!(to_unix("2023-11-14Z").unwrap(), "1699920000.000000000");
        let back: f64 = to_unix("10m").unwrap().parse().unwrap();
        let expected = now().as_second() as f64 - 600.0;
        assert!((back - expected).abs() < 2.0);
        assert!(to_unix("yesterday").is_err());
    }
}
