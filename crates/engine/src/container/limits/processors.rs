//! Limits of processor time, and which processors and memory nodes may be used.

use crate::container::invalid;
use errors::Result;
use spec::Resources;
use std::collections::BTreeSet;

/// `cpus`: how many this host has.
pub(super) fn check(cpus: usize, limits: &Resources) -> Result<()> {
    if let Some(nano) = limits.nano_cpus.filter(|&nano| nano != 0) {
        for (set, option) in [(limits.cpu_period, "Period"), (limits.cpu_quota, "Quota")] {
            if set.is_some_and(|value| value > 0) {
                return Err(invalid(format!(
                    "Conflicting options: Nano CPUs and CPU {option} cannot both be set"
                )));
            }
        }
        let most = i64::try_from(cpus).unwrap_or(i64::MAX).saturating_mul(1_000_000_000);
        if nano < 0 || nano > most {
            return Err(invalid(format!(
                "range of CPUs is from 0.01 to {}.00, as there are only {0} CPUs available",
                cpus
            )));
        }
    }
    for (refused, what, limit) in [(1..2, "minimum", 2), (262_145..i64::MAX, "maximum", 262_144)] {
        if limits.cpu_shares.is_some_and(|shares| refused.contains(&shares)) {
            return Err(invalid(format!("the {what} allowed cpu-shares is {limit}")));
        }
    }
    if limits.cpu_period.is_some_and(|period| period != 0 && !(1000..=1_000_000).contains(&period)) {
        return Err(invalid(
            "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. 1000000)",
        ));
    }
    if limits.cpu_quota.is_some_and(|quota| quota > 0 && quota < 1000) {
        return Err(invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)"));
    }
    for (set, file, kind, option) in [
        (&limits.cpuset_cpus, "/sys/devices/system/cpu/online", "cpus", "CPUs"),
        (&limits.cpuset_mems, "/sys/devices/system/node/online", "mems", "memory nodes"),
    ] {
        let Some(wanted) = set.as_deref().filter(|text| !text.is_empty()) else { continue };
        let available = std::fs::read_to_string(file).unwrap_or_default();
        let bad = || invalid(format!("Invalid value {wanted} for cpuset {kind}: invalid format: {wanted}"));
        let wanted_set = id_set(wanted).ok_or_else(bad)?;
        if let Some(available_set) = id_set(available.trim())
            && !wanted_set.is_subset(&available_set)
        {
            return Err(invalid(format!(
                "Requested {option} are not available - requested {wanted}, available: {}",
                available.trim()
            )));
        }
    }
    Ok(())
}

/// `0-2,4` as a set.
fn id_set(text: &str) -> Option<BTreeSet<u32>> {
    let mut set = BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (first.trim().parse::<u32>().ok()?, last.trim().parse::<u32>().ok()?);
        if first > last || last > 8192 {
            return None;
        }
        set.extend(first..=last);
    }
    Some(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cpu_sets_are_lists_of_ranges() {
        assert_eq!(id_set("0-2,4"), Some(BTreeSet::from([0, 1, 2, 4])));
        assert_eq!(id_set("2-0"), None);
        assert_eq!(id_set("a"), None);
        assert_eq!(id_set("0-99999999"), None);
    }
}
