//! The devices controller of v1, which keeps its rules itself. On v2 it is a program of whoever made the container.

use super::{refused, set};
use crate::error::Result;
use oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType};
use std::path::Path;

/// What every container may do, as runc has it: make any node, use its console, its terminals and the usual six.
const EVERYBODYS: [&str; 11] = [
    "c *:* m",
    "b *:* m",
    "c 1:3 rwm",
    "c 1:5 rwm",
    "c 1:7 rwm",
    "c 1:8 rwm",
    "c 1:9 rwm",
    "c 5:0 rwm",
    "c 5:1 rwm",
    "c 5:2 rwm",
    "c 136:* rwm",
];

/// Applies the rules in their order, and allows what everybody may do.
pub(super) fn limit(directory: &Path, rules: &[LinuxDeviceCgroup]) -> Result<()> {
    let texts = rules.iter().map(text).collect::<Result<Vec<_>>>()?;
    let mut allowed = Vec::new();
    for (rule, text) in rules.iter().zip(texts) {
        set(directory, if rule.allow() { "devices.allow" } else { "devices.deny" }, &text)?;
        if rule.allow() {
            allowed.push(text);
        } else {
            allowed.clear();
        }
    }
    let missing = EVERYBODYS.iter().filter(|rule| !allowed.iter().any(|allowed| allowed == *rule));
    missing.into_iter().try_for_each(|rule| set(directory, "devices.allow", rule))
}

/// `Documentation/admin-guide/cgroup-v1/devices.rst`: `c 1:3 rwm`, `a *:* rwm`.
fn text(rule: &LinuxDeviceCgroup) -> Result<String> {
    let kind = match rule.typ() {
        Some(LinuxDeviceType::B) => 'b',
        Some(LinuxDeviceType::C | LinuxDeviceType::U) => 'c',
        None | Some(LinuxDeviceType::A) => 'a',
        // As a rule for all devices it would allow more than was meant.
        Some(LinuxDeviceType::P) => return Err(refused("devices", "a rule for pipes, which are no devices")),
    };
    let number = |number: Option<i64>| match number {
        Some(number) if number >= 0 => number.to_string(),
        _ => "*".to_owned(),
    };
    let access = rule.access().as_deref().unwrap_or("rwm");
    Ok(format!("{kind} {}:{} {access}", number(rule.major()), number(rule.minor())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use oci_spec::runtime::LinuxDeviceCgroupBuilder;

    #[test]
    fn rules_are_the_kernels_lines() {
        let rule = || LinuxDeviceCgroupBuilder::default();
        let none = rule().allow(false).build().unwrap();
        assert_eq!(text(&none).unwrap(), "a *:* rwm");
        let disk = rule().allow(true).typ(LinuxDeviceType::B).major(8).minor(-1).access("r").build().unwrap();
        assert_eq!(text(&disk).unwrap(), "b 8:* r");
        assert!(text(&rule().allow(true).typ(LinuxDeviceType::P).build().unwrap()).is_err());
    }
}
