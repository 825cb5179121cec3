//! Nanoseconds since 1970 as RFC 3339 text and back, as Go's `RFC3339Nano` in UTC prints it: no trailing zeros.
//!
//! By hand, because the writer needs one for every line and may not allocate for it.

/// Length of the longest text: `2026-01-02T03:04:05.123456789Z`.
pub const MAX_LEN: usize = 30;

const DAY: i64 = 86_400;
const NANOS: i64 = 1_000_000_000;

/// Appends `unix_nanos` as `2026-01-02T03:04:05.12Z`.
pub fn push(out: &mut Vec<u8>, unix_nanos: i64) {
    let (seconds, nanos) = (unix_nanos.div_euclid(NANOS), unix_nanos.rem_euclid(NANOS));
    let (year, month, day) = date_of(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    digits(out, year, 4);
    for (before, value) in
        [(b'-', month), (b'-', day), (b'T', second / 3600), (b':', second / 60 % 60), (b':', second % 60)]
    {
        out.push(before);
        digits(out, value, 2);
    }
    if nanos > 0 {
        out.push(b'.');
        digits(out, nanos, 9);
        let zeros = out.iter().rev().take_while(|digit| **digit == b'0').count();
        out.truncate(out.len() - zeros);
    }
    out.push(b'Z');
}

/// Reads what [`push`] prints; `None`: something else, or not in the range of 64 bits (until 2262).
pub fn parse(text: &[u8]) -> Option<i64> {
    let (date_time, rest) = text.split_at_checked(19)?;
    let fraction = match rest.strip_suffix(b"Z")? {
        [] => 0,
        [b'.', digits @ ..] if (1..=9).contains(&digits.len()) => {
            number(digits)? * 10_i64.pow(9 - u32::try_from(digits.len()).ok()?)
        }
        _ => return None,
    };
    let separators = [date_time[4], date_time[7], date_time[10], date_time[13], date_time[16]];
    if separators != *b"--T::" {
        return None;
    }
    let field = |from: usize, to: usize| number(&date_time[from..to]);
    let days = days_of(field(0, 4)?, field(5, 7)?, field(8, 10)?);
    let seconds = days * DAY + field(11, 13)? * 3600 + field(14, 16)? * 60 + field(17, 19)?;
    seconds.checked_mul(NANOS)?.checked_add(fraction)
}

fn digits(out: &mut Vec<u8>, mut value: i64, count: usize) {
    let start = out.len();
    out.resize(start + count, b'0');
    for digit in out[start..].iter_mut().rev() {
        *digit = b"0123456789"[usize::try_from(value % 10).unwrap_or(0)];
        value /= 10;
    }
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
}

/// Year, month and day of a day counted from 1970 (the proleptic Gregorian calendar in eras of 400 years that
/// begin on 1 March, so that the leap day is the last of its year).
fn date_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year_of_era + i64::from(month <= 2), month, day)
}

/// The inverse of [`date_of`].
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let march_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * march_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(nanos: i64) -> String {
        let mut out = Vec::new();
        push(&mut out, nanos);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn prints_as_go_does() {
        assert_eq!(text(0), "1970-01-01T00:00:00Z");
        assert_eq!(text(1_767_323_045_120_000_000), "2026-01-02T03:04:05.12Z");
        assert_eq!(text(1_709_164_799_000_000_001), "2024-02-28T23:59:59.000000001Z");
        assert_eq!(text(-1), "1969-12-31T23:59:59.999999999Z");
    }

    #[test]
    fn reads_what_it_prints() {
        for day in 0..40_000 {
            let nanos = day * DAY * NANOS + day * 1_234_567_891 % (DAY * NANOS);
            assert_eq!(parse(text(nanos).as_bytes()), Some(nanos));
        }
        for bad in ["", "2026-01-02", "2026-01-02T03:04:05", "2026-01-02T03:04:05.Z", "2026-01-02 03:04:05Z"]
        {
            assert_eq!(parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
