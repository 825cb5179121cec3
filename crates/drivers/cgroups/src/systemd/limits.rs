//! The limits of a cgroup of version 2 in systemd's words (`systemd.resource-control(5)`, `org.freedesktop.systemd1(5)`).

use super::writer::{Property, Value};
use crate::error::Result;
use crate::files;
use std::path::Path;

/// What systemd takes for "no limit".
const INFINITY: u64 = u64::MAX;

const SECOND: u64 = 1_000_000;

/// Files of a single number, and the properties of the same meaning.
const NUMBERS: [(&str, &str); 5] = [
    ("memory.max", "MemoryMax"),
    ("memory.swap.max", "MemorySwapMax"),
    ("memory.low", "MemoryLow"),
    ("pids.max", "TasksMax"),
    ("cpu.weight", "CPUWeight"),
];

/// Keys of `io.max`, and the properties of the same meaning.
const RATES: [(&str, &str); 4] = [
    ("rbps", "IOReadBandwidthMax"),
    ("wbps", "IOWriteBandwidthMax"),
    ("riops", "IOReadIOPSMax"),
    ("wiops", "IOWriteIOPSMax"),
];

/// All limits of a directory; those of controllers that it lacks are left out.
pub(super) fn of(directory: &Path) -> Result<Vec<Property>> {
    let mut properties = Vec::new();
    for (file, name) in NUMBERS {
        properties.extend(files::number_if_there(&directory.join(file))?.map(|it| (name, Value::Number(it))));
    }
    let text = |file: &str| files::read_if_there(&directory.join(file));
    if let Some((quota, period)) = text("cpu.max")?.as_deref().and_then(bandwidth) {
        properties.push(("CPUQuotaPerSecUSec", Value::Number(quota)));
        properties.push(("CPUQuotaPeriodUSec", Value::Number(period)));
    }
    for (file, name) in [("cpuset.cpus", "AllowedCPUs"), ("cpuset.mems", "AllowedMemoryNodes")] {
        properties.extend(text(file)?.map(|list| (name, Value::Bytes(mask(&list)))));
    }
    let weight = match (text("io.weight")?, text("io.bfq.weight")?) {
        (Some(weight), _) => default_weight(&weight),
        (None, weight) => weight.as_deref().and_then(default_weight).map(from_bfq),
    };
    properties.extend(weight.map(|weight| ("IOWeight", Value::Number(weight))));
    if let Some(io) = text("io.max")? {
        properties.extend(RATES.map(|(key, name)| (name, Value::Rates(rates(&io, key, device)))));
    }
    Ok(properties)
}

/// `cpu.max`: `max 100000`, `50000 100000`. The first becomes microseconds a second, rounded up: systemd calculates back
/// and rounds down.
fn bandwidth(text: &str) -> Option<(u64, u64)> {
    let (quota, period) = text.trim().split_once(' ')?;
    let period: u64 = period.parse().ok().filter(|period| *period > 0)?;
    let per_second = match quota {
        "max" => INFINITY,
        quota => quota.parse::<u64>().ok()?.saturating_mul(SECOND).div_ceil(period),
    };
    Some((per_second, period))
}

/// `0-2,8` as bits, the lowest first.
fn mask(list: &str) -> Vec<u8> {
    let mut mask = Vec::new();
    for range in list.trim().split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (Ok(first), Ok(last)) = (first.parse::<usize>(), last.parse::<usize>()) else { continue };
        mask.resize(mask.len().max(last / 8 + 1), 0);
        for number in first..=last {
            mask[number / 8] |= 1 << (number % 8);
        }
    }
    mask
}

/// The first line of `io.weight`: `default 100`.
fn default_weight(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("default "))?.trim().parse().ok()
}

/// systemd maps 1…100…10000 to BFQ's 1…100…1000; this is the way back.
fn from_bfq(weight: u64) -> u64 {
    if weight <= 100 { weight } else { 100 + (weight - 100) * 11 }
}

/// The limits of one kind in `io.max`: `8:0 rbps=1048576 wbps=max riops=max wiops=max`.
fn rates(io: &str, key: &str, device: impl Fn(&str) -> String) -> Vec<(String, u64)> {
    let mut found = Vec::new();
    for line in io.lines() {
        let mut words = line.split(' ');
        let Some(number) = words.next() else { continue };
        let rate = words.find_map(|word| word.strip_prefix(key)?.strip_prefix('=')?.parse().ok());
        found.extend(rate.map(|rate| (device(number), rate)));
    }
    found
}

/// `/dev/NAME`, as the kernel calls the device of these numbers.
fn device(numbers: &str) -> String {
    let target = std::fs::read_link(format!("/sys/dev/block/{numbers}")).unwrap_or_default();
    match target.file_name() {
        Some(name) => format!("/dev/{}", name.to_string_lossy()),
        None => format!("/dev/block/{numbers}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bandwidth_comes_back_as_it_was() {
        assert_eq!(bandwidth("max 100000\n"), Some((INFINITY, 100_000)));
        for (quota, period) in [(50_000, 100_000), (10_000, 30_000), (1_000, 999_999), (123_457, 7_919)] {
            let (per_second, same) = bandwidth(&format!("{quota} {period}")).unwrap();
            assert_eq!((per_second * same / SECOND, same), (quota, period));
        }
    }

    #[test]
    fn lists_become_bits() {
        assert_eq!(mask("0-2,8\n"), [0b111, 1]);
        assert_eq!(mask("3"), [0b1000]);
        assert!(mask("\n").is_empty());
    }

    #[test]
    fn weights_and_rates_are_found() {
        assert_eq!(default_weight("default 500\n8:0 100\n"), Some(500));
        assert_eq!((from_bfq(50), from_bfq(1000)), (50, 10_000));
        let io = "8:0 rbps=1048576 wbps=max riops=max wiops=30\n8:16 rbps=max wbps=7 riops=max wiops=max\n";
        let of = |key| rates(io, key, str::to_owned);
        assert_eq!(of("rbps"), [("8:0".to_owned(), 1_048_576)]);
        assert_eq!(of("wbps"), [("8:16".to_owned(), 7)]);
        assert_eq!(of("riops"), []);
    }

    #[test]
    fn every_limit_of_a_directory_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| std::fs::write(directory.path().join(name), text).unwrap();
        file("memory.max", "67108864\n");
        file("memory.swap.max", "max\n");
        file("cpu.max", "50000 100000\n");
        file("cpuset.cpus", "0\n");
        file("io.weight", "default 10\n");
        let expected = [
            ("MemoryMax", Value::Number(67_108_864)),
            ("MemorySwapMax", Value::Number(INFINITY)),
            ("CPUQuotaPerSecUSec", Value::Number(500_000)),
            ("CPUQuotaPeriodUSec", Value::Number(100_000)),
            ("AllowedCPUs", Value::Bytes(vec![1])),
            ("IOWeight", Value::Number(10)),
        ];
        assert_eq!(of(directory.path()).unwrap(), expected);
    }
}
