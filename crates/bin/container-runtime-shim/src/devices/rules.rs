//! The rules of a specification, boiled down to a default and its exceptions, as the devices controller of version 1
//! keeps them.

use crate::error::{Error, Result};
use serde::Deserialize;
use std::collections::BTreeMap;

/// An entry of `linux.resources.devices`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Rule {
    allow: bool,
    #[serde(rename = "type", default)]
    kind: Option<String>,
    #[serde(default)]
    major: Option<i64>,
    #[serde(default)]
    minor: Option<i64>,
    #[serde(default)]
    access: Option<String>,
}

/// Kinds of devices and accesses, as the kernel numbers them.
pub(super) const BLOCK: u32 = 1;
pub(super) const CHARACTER: u32 = 2;
const MKNOD: u32 = 1;
const READ: u32 = 2;
const WRITE: u32 = 4;
const ALL: u32 = MKNOD | READ | WRITE;

/// Which devices: none as a number means any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Devices {
    pub(super) kind: u32,
    pub(super) major: Option<u32>,
    pub(super) minor: Option<u32>,
}

/// What is allowed, or forbidden, beside the exceptions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) allow: bool,
    /// With the accesses for which the opposite holds.
    pub(super) exceptions: BTreeMap<Devices, u32>,
}

/// What every container may do, as runc has it: make any node, use its console and its terminals.
const EVERYBODYS: [(Devices, u32); 5] = [
    (Devices { kind: CHARACTER, major: None, minor: None }, MKNOD),
    (Devices { kind: BLOCK, major: None, minor: None }, MKNOD),
    (Devices { kind: CHARACTER, major: Some(5), minor: Some(1) }, ALL),
    (Devices { kind: CHARACTER, major: Some(5), minor: Some(2) }, ALL),
    (Devices { kind: CHARACTER, major: Some(136), minor: None }, ALL),
];

impl Policy {
    /// Applies the rules one after the other.
    pub(super) fn of(rules: &[Rule]) -> Result<Self> {
        let mut policy = Self { allow: true, exceptions: BTreeMap::new() };
        for rule in rules {
            match rule.kinds()? {
                None => policy = Self { allow: rule.allow, exceptions: BTreeMap::new() },
                Some(kind) => {
                    let number = |number: Option<i64>| number.and_then(|number| u32::try_from(number).ok());
                    let devices = Devices { kind, major: number(rule.major), minor: number(rule.minor) };
                    policy.except(devices, rule.allow, rule.accesses());
                }
            }
        }
        for (devices, accesses) in EVERYBODYS {
            policy.except(devices, true, accesses);
        }
        Ok(policy)
    }

    fn except(&mut self, devices: Devices, allow: bool, accesses: u32) {
        let exception = self.exceptions.entry(devices).or_default();
        *exception = if allow == self.allow { *exception & !accesses } else { *exception | accesses };
        self.exceptions.retain(|_, accesses| *accesses != 0);
    }
}

impl Rule {
    /// None: all devices, whatever the rule's numbers say, as the controller of version 1 has it.
    fn kinds(&self) -> Result<Option<u32>> {
        match self.kind.as_deref() {
            Some("b") => Ok(Some(BLOCK)),
            Some("c" | "u") => Ok(Some(CHARACTER)),
            None | Some("a") => Ok(None),
            Some(kind) => Err(Error::invalid(format!("linux.resources.devices: no such type: {kind:?}"))),
        }
    }

    fn accesses(&self) -> u32 {
        let access = self.access.as_deref().filter(|access| !access.is_empty()).unwrap_or("rwm");
        [('r', READ), ('w', WRITE), ('m', MKNOD)]
            .iter()
            .filter(|(letter, _)| access.contains(*letter))
            .fold(0, |all, (_, bit)| all | bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn policy(rules: serde_json::Value) -> Policy {
        Policy::of(&serde_json::from_value::<Vec<Rule>>(rules).unwrap()).unwrap()
    }

    #[test]
    fn a_rule_of_an_unknown_kind_is_not_one_for_all_devices() {
        let pipes =
            serde_json::from_value::<Rule>(json!({"allow": true, "type": "p", "access": "rwm"})).unwrap();
        assert!(Policy::of(&[pipes]).is_err());
    }

    #[test]
    fn later_rules_change_earlier_ones() {
        let policy = policy(json!([
            {"allow": false, "access": "rwm"},
            {"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rwm"},
            {"allow": false, "type": "c", "major": 1, "minor": 3, "access": "w"},
            {"allow": true, "type": "b", "major": 8, "access": "r"},
            {"allow": false, "type": "b", "major": 8, "access": "r"},
        ]));
        assert!(!policy.allow);
        let null = Devices { kind: CHARACTER, major: Some(1), minor: Some(3) };
        assert_eq!(policy.exceptions.get(&null), Some(&(READ | MKNOD)));
        assert_eq!(policy.exceptions.len(), 1 + EVERYBODYS.len());
    }

    #[test]
    fn a_privileged_container_has_no_exceptions() {
        let all = json!([{"allow": false, "access": "rwm"}, {"allow": true, "type": "a", "major": -1, "access": "rwm"}]);
        assert_eq!(policy(all), Policy { allow: true, exceptions: BTreeMap::new() });
        assert_eq!(policy(json!([])), Policy { allow: true, exceptions: BTreeMap::new() });
    }
}
