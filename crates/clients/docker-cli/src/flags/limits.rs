//! Amounts: memory, CPUs, ulimits, device rates.

use crate::output::units;
use serde_json::{Value, json};

/// An amount of memory.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) i64);

/// For clap: `512m`.
pub(crate) fn bytes(text: &str) -> Result<Bytes, String> {
    units::parse_bytes(text).map(Bytes)
}

/// For clap: the same, or `-1` for no limit.
pub(crate) fn swap(text: &str) -> Result<Bytes, String> {
    if text == "-1" { Ok(Bytes(-1)) } else { bytes(text) }
}

/// A share of CPUs in billionths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct NanoCpus(pub(crate) i64);

/// For clap: a decimal number or a fraction (`1.5`, `3/2`), exact to a billionth.
pub(crate) fn cpus(text: &str) -> Result<NanoCpus, String> {
    let bad = || format!("failed to parse {text} as a rational number");
    if let Some((numerator, denominator)) = text.split_once('/') {
        let numerator: i128 = numerator.parse().map_err(|_| bad())?;
        let denominator: i128 = denominator.parse().ok().filter(|d| *d > 0).ok_or_else(bad)?;
        let nano = numerator.checked_mul(1_000_000_000).ok_or_else(bad)?;
        if nano % denominator != 0 {
            return Err("value is too precise".to_owned());
        }
        return Ok(NanoCpus(i64::try_from(nano / denominator).map_err(|_| bad())?));
    }
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let numeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !numeric(whole) || !numeric(fraction) {
        return Err(bad());
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > 9 {
        return Err("value is too precise".to_owned());
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().map_err(|_| bad())? };
    let fraction: i64 = format!("{fraction:0<9}").parse().map_err(|_| bad())?;
    let nano = whole.checked_mul(1_000_000_000).and_then(|n| n.checked_add(fraction)).ok_or_else(bad)?;
    Ok(NanoCpus(if negative { -nano } else { nano }))
}

/// A resource limit of processes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ulimit {
    name: String,
    soft: i64,
    hard: i64,
}

const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

/// For clap: `name=soft[:hard]`, -1 being unlimited.
pub(crate) fn ulimit(text: &str) -> Result<Ulimit, String> {
    let (name, values) = text.split_once('=').ok_or_else(|| format!("invalid ulimit argument: {text}"))?;
    if !ULIMITS.contains(&name) {
        return Err(format!("invalid ulimit type: {name}"));
    }
    let number = |text: &str| {
        text.parse::<i64>().map_err(|_| format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))
    };
    let (soft, hard) = match values.split(':').collect::<Vec<_>>().as_slice() {
        [soft] => (number(soft)?, number(soft)?),
        [soft, hard] => {
            let hard = number(hard)?;
            (number(soft)?, hard)
        }
        _ => {
            return Err(format!(
                "too many limit value arguments - {values}, can only have up to two, `soft[:hard]`"
            ));
        }
    };
    let order = "ulimit soft limit must be less than or equal to hard limit:";
    if hard != -1 && soft == -1 {
        return Err(format!("{order} soft: -1 (unlimited), hard: {hard}"));
    }
    if hard != -1 && soft > hard {
        return Err(format!("{order} {soft} > {hard}"));
    }
    Ok(Ulimit { name: name.to_owned(), soft, hard })
}

/// For the API: sorted by name, the last of a name winning.
pub(crate) fn ulimits_json(ulimits: &[Ulimit]) -> Vec<Value> {
    let by_name: std::collections::BTreeMap<_, _> =
        ulimits.iter().map(|limit| (&limit.name, limit)).collect();
    by_name
        .values()
        .map(|limit| json!({"Name": limit.name, "Soft": limit.soft, "Hard": limit.hard}))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpus_are_exact() {
        assert_eq!(cpus("1.5"), Ok(NanoCpus(1_500_000_000)));
        assert_eq!(cpus(".5"), Ok(NanoCpus(500_000_000)));
        assert_eq!(cpus("3/2"), Ok(NanoCpus(1_500_000_000)));
        assert_eq!(cpus("0.0000000001"), Err("value is too precise".to_owned()));
        assert_eq!(cpus("x"), Err("failed to parse x as a rational number".to_owned()));
    }

    #[test]
    fn ulimits() {
        assert_eq!(ulimit("nofile=10:20"), Ok(Ulimit { name: "nofile".into(), soft: 10, hard: 20 }));
        assert_eq!(ulimit("nofile=10").unwrap().hard, 10);
        assert!(ulimit("nofile=30:20").unwrap_err().ends_with("30 > 20"));
        assert_eq!(ulimit("x=1").unwrap_err(), "invalid ulimit type: x");
        assert!(ulimit("nofile=1:2:3").unwrap_err().starts_with("too many limit value"));
        assert_eq!(swap("-1"), Ok(Bytes(-1)));
    }
}
