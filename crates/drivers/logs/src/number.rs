//! Numbers in option values, with the grammar and the complaints of the Go functions that Docker parses them with.

/// Bytes with an optional suffix (`10m`, `1.5 GiB`); `base` is 1000 or 1024, whatever the suffix says.
pub(crate) fn size(text: &str, base: u64) -> Result<i64, String> {
    let invalid = || format!("invalid size: '{text}'");
    let end = text.rfind(|c: char| c.is_ascii_digit() || c == '.' || c == ' ').ok_or_else(invalid)?;
    let (number, suffix) = text.split_at(end + 1);
    let number = number.strip_suffix(' ').unwrap_or(number);
    let value: f64 =
        number.parse().map_err(|_| format!("strconv.ParseFloat: parsing \"{number}\": invalid syntax"))?;
    if value < 0.0 || !value.is_finite() {
        return Err(invalid());
    }
    let suffix = suffix.to_ascii_lowercase();
    let power = power(&suffix).ok_or_else(|| format!("invalid suffix: '{suffix}'"))?;
    #[expect(clippy::cast_possible_truncation, reason = "saturating is what a limit wants")]
    Ok((value * (base as f64).powi(power)) as i64)
}

/// The power of the base that a suffix stands for.
fn power(suffix: &str) -> Option<i32> {
    let mut letters = suffix.chars();
    let power = match letters.next() {
        None => return Some(0),
        Some('b') => return letters.next().is_none().then_some(0),
        Some('k') => 1,
        Some('m') => 2,
        Some('g') => 3,
        Some('t') => 4,
        Some('p') => 5,
        Some(_) => return None,
    };
    matches!(letters.as_str(), "" | "b" | "ib").then_some(power)
}

/// Go's `strconv.Atoi`.
pub(crate) fn integer(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("strconv.Atoi: parsing \"{text}\": invalid syntax"))
}

/// Go's `strconv.ParseBool`.
pub(crate) fn boolean(text: &str) -> Result<bool, String> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing \"{text}\": invalid syntax")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_follow_go_units() {
        assert_eq!(size("10m", 1000), Ok(10_000_000));
        assert_eq!(size("10m", 1024), Ok(10 << 20));
        assert_eq!(size("1.5 KiB", 1000), Ok(1500));
        assert_eq!(size("7", 1000), Ok(7));
        assert_eq!(size("7b", 1000), Ok(7));
        assert_eq!(size("-1", 1000), Err("invalid size: '-1'".into()));
        assert_eq!(size("huge", 1000), Err("invalid size: 'huge'".into()));
        assert_eq!(size("1x", 1000), Err("invalid suffix: 'x'".into()));
        assert_eq!(size("1bb", 1000), Err("invalid suffix: 'bb'".into()));
        assert_eq!(size("1.2.3", 1000), Err("strconv.ParseFloat: parsing \"1.2.3\": invalid syntax".into()));
    }
}
