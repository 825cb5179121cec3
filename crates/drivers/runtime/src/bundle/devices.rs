//! Device nodes of a container, and the rules of its device cgroup.

use super::error::BundleError;
use super::resolved::{DeviceKind, ResolvedDevice};
use oci_spec::runtime::{
    LinuxDevice, LinuxDeviceBuilder, LinuxDeviceCgroup, LinuxDeviceCgroupBuilder, LinuxDeviceType,
};
use spec::Security;

/// Character devices that every container may use: zero, null, urandom, random, tty, console. Runtimes add
/// pseudo-terminals by themselves.
const DEFAULT_ALLOWED: [(i64, i64); 6] = [(1, 5), (1, 3), (1, 9), (1, 8), (5, 0), (5, 1)];

/// Nodes to be made. Runtimes make them below `/dev` only; others are mounted.
pub(super) fn nodes(devices: &[ResolvedDevice]) -> Vec<LinuxDevice> {
    devices
        .iter()
        .filter(|device| device.path.starts_with("/dev/"))
        .map(|device| {
            LinuxDeviceBuilder::default()
                .path(&device.path)
                .typ(device_type(device.kind))
                .major(i64::from(device.number.major))
                .minor(i64::from(device.number.minor))
                .file_mode(device.mode)
                .uid(device.uid)
                .gid(device.gid)
                .build()
                .expect(super::ALL_SET)
        })
        .collect()
}

/// All denied but the default ones, the client's devices and its own rules; with privileges, all allowed.
pub(super) fn rules(
    security: &Security,
    devices: &[ResolvedDevice],
) -> Result<Vec<LinuxDeviceCgroup>, BundleError> {
    if security.privileged {
        return Ok(vec![rule(true, None, None, None, "rwm")]);
    }
    let mut rules = vec![rule(false, None, None, None, "rwm")];
    rules.extend(
        DEFAULT_ALLOWED
            .map(|(major, minor)| rule(true, Some(LinuxDeviceType::C), Some(major), Some(minor), "rwm")),
    );
    rules.extend(devices.iter().map(|device| {
        let (major, minor) = (i64::from(device.number.major), i64::from(device.number.minor));
        rule(true, Some(device_type(device.kind)), Some(major), Some(minor), &device.permissions)
    }));
    for text in &security.device_cgroup_rules {
        rules.push(parse_rule(text).ok_or_else(|| BundleError::DeviceRule { rule: text.clone() })?);
    }
    Ok(rules)
}

/// `c 42:* rmw`: kind, numbers, access.
fn parse_rule(text: &str) -> Option<LinuxDeviceCgroup> {
    let mut words = text.split(' ');
    let kind = match words.next()? {
        "a" => LinuxDeviceType::A,
        "b" => LinuxDeviceType::B,
        "c" => LinuxDeviceType::C,
        _ => return None,
    };
    let (major, minor) = words.next()?.split_once(':')?;
    let access = words.next()?;
    let access_ok = (1..=3).contains(&access.len()) && access.bytes().all(|b| b"rwm".contains(&b));
    if !access_ok || words.next().is_some() {
        return None;
    }
    Some(rule(true, Some(kind), number(major)?, number(minor)?, access))
}

/// A number, or nothing for `*`.
fn number(text: &str) -> Option<Option<i64>> {
    match text {
        "*" => Some(None),
        digits => digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?.map(Some),
    }
}

fn rule(
    allow: bool,
    typ: Option<LinuxDeviceType>,
    major: Option<i64>,
    minor: Option<i64>,
    access: &str,
) -> LinuxDeviceCgroup {
    let mut rule =
        LinuxDeviceCgroupBuilder::default().allow(allow).access(access).build().expect(super::ALL_SET);
    rule.set_typ(typ);
    rule.set_major(major);
    rule.set_minor(minor);
    rule
}

fn device_type(kind: DeviceKind) -> LinuxDeviceType {
    match kind {
        DeviceKind::Char => LinuxDeviceType::C,
        DeviceKind::Block => LinuxDeviceType::B,
    }
}
