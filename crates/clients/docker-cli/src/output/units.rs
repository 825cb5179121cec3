//! Sizes and spans of time for people, and sizes as people type them.

const DECIMAL: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];
const BINARY: [&str; 9] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];

/// `4.17kB`: powers of 1000, `precision` significant digits.
pub(crate) fn human_size(bytes: f64, precision: usize) -> String {
    scaled(bytes, 1000.0, &DECIMAL, precision)
}

/// `1.5GiB`: powers of 1024, four significant digits.
pub(crate) fn bytes_size(bytes: f64) -> String {
    scaled(bytes, 1024.0, &BINARY, 4)
}

fn scaled(mut size: f64, base: f64, units: &[&str], precision: usize) -> String {
    let mut unit = 0;
    while size >= base && unit + 1 < units.len() {
        size /= base;
        unit += 1;
    }
    significant(size, precision) + units[unit]
}

/// C's `%.*g`: that many significant digits, trailing zeros dropped, exponents only where needed.
fn significant(number: f64, digits: usize) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{:.*e}", digits.saturating_sub(1), number);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if exponent < -4 || usize::try_from(exponent).is_ok_and(|e| e >= digits) {
        let mantissa = without_zeros(mantissa);
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{mantissa}e{sign}{:02}", exponent.abs());
    }
    let decimals = usize::try_from(i32::try_from(digits).unwrap_or(i32::MAX) - 1 - exponent).unwrap_or(0);
    without_zeros(&format!("{number:.decimals$}")).to_owned()
}

fn without_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// `About a minute`, `3 hours`, `2 weeks`: how long something takes, in one unit.
pub(crate) fn human_duration(seconds: f64) -> String {
    let whole = seconds as i64;
    let minutes = (seconds / 60.0) as i64;
    let hours = (seconds / 3600.0 + 0.5) as i64;
    match () {
        () if whole < 1 => "Less than a second".to_owned(),
        () if whole == 1 => "1 second".to_owned(),
        () if whole < 60 => format!("{whole} seconds"),
        () if minutes == 1 => "About a minute".to_owned(),
        () if minutes < 60 => format!("{minutes} minutes"),
        () if hours == 1 => "About an hour".to_owned(),
        () if hours < 48 => format!("{hours} hours"),
        () if hours < 24 * 7 * 2 => format!("{} days", hours / 24),
        () if hours < 24 * 30 * 2 => format!("{} weeks", hours / 24 / 7),
        () if hours < 24 * 365 * 2 => format!("{} months", hours / 24 / 30),
        () => format!("{} years", (seconds / 3600.0) as i64 / 24 / 365),
    }
}

/// `512m`, `1.5g`, `64`, `10 KiB`: a size in bytes, by powers of 1024.
pub(crate) fn parse_bytes(text: &str) -> Result<i64, String> {
    let last = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ');
    let Some(last) = last else { return Err(format!("invalid size: '{text}'")) };
    let (number, suffix) = match text.as_bytes()[last] {
        b' ' => (&text[..last], &text[last + 1..]),
        _ => (&text[..=last], &text[last + 1..]),
    };
    let size: f64 = number
        .parse()
        .ok()
        .filter(|_| !number.is_empty() && !number.starts_with(char::is_whitespace))
        .ok_or_else(|| format!("strconv.ParseFloat: parsing {number:?}: invalid syntax"))?;
    if size < 0.0 {
        return Err(format!("invalid size: '{text}'"));
    }
    let suffix = suffix.to_ascii_lowercase();
    let power = match suffix.as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        "p" | "pb" | "pib" => 5,
        _ => return Err(format!("invalid suffix: '{suffix}'")),
    };
    Ok((size * 1024f64.powi(power)) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        let show = |n: f64| human_size(n, 3);
        assert_eq!(
            [show(0.0), show(13_500_000.0), show(2_070_000.0), show(4169.0), show(999_999.0)],
            ["0B", "13.5MB", "2.07MB", "4.17kB", "1e+03kB"]
        );
        assert_eq!(human_size(1234.0, 4), "1.234kB");
        assert_eq!(bytes_size(1536.0 * 1024.0 * 1024.0), "1.5GiB");
        assert_eq!(bytes_size(25_276_000_000.0), "23.54GiB");
    }

    #[test]
    fn spans_for_people() {
        let cases = [
            (0.4, "Less than a second"),
            (1.9, "1 second"),
            (59.0, "59 seconds"),
            (61.0, "About a minute"),
            (3599.0, "59 minutes"),
            (3600.0, "About an hour"),
            (47.0 * 3600.0, "47 hours"),
            (48.0 * 3600.0, "2 days"),
            (15.0 * 86400.0, "2 weeks"),
            (70.0 * 86400.0, "2 months"),
            (800.0 * 86400.0, "2 years"),
        ];
        for (seconds, text) in cases {
            assert_eq!(human_duration(seconds), text);
        }
    }

    #[test]
    fn sizes_as_typed() {
        assert_eq!(parse_bytes("512m"), Ok(512 << 20));
        assert_eq!(parse_bytes("1.5G"), Ok(3 << 29));
        assert_eq!(parse_bytes("10 KiB"), Ok(10240));
        assert_eq!(parse_bytes("64"), Ok(64));
        assert_eq!(parse_bytes("x"), Err("invalid size: 'x'".to_owned()));
        assert_eq!(parse_bytes("-5m"), Err("invalid size: '-5m'".to_owned()));
        assert_eq!(parse_bytes("5x"), Err("invalid suffix: 'x'".to_owned()));
    }
}
