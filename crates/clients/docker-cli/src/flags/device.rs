//! `--device` and the limits per block device.

use crate::output::units;
use serde_json::{Value, json};
use std::path::{Component, Path, PathBuf};

/// Splits `--device` values into mappings and CDI names, and makes API objects of both.
pub(crate) fn devices(values: &[String]) -> Result<(Vec<Value>, Vec<String>), String> {
    let mut mappings = Vec::new();
    let mut cdi = Vec::new();
    for value in values {
        if is_cdi_name(value) { cdi.push(value.clone()) } else { mappings.push(mapping(value)?) }
    }
    Ok((mappings, cdi))
}

/// `vendor.com/class=name`.
fn is_cdi_name(text: &str) -> bool {
    let Some((kind, name)) = text.split_once('=') else { return false };
    let Some((vendor, class)) = kind.split_once('/') else { return false };
    let word = |text: &str, extra: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.chars().all(|c| c.is_ascii_alphanumeric() || extra.contains(c))
    };
    let starts = name.starts_with(|c: char| c.is_ascii_alphanumeric());
    word(vendor, "_-.")
        && word(class, "_-")
        && starts
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.:".contains(c))
}

/// `host[:container][:mode]`.
fn mapping(text: &str) -> Result<Value, String> {
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 || parts[0].is_empty() {
        return Err(format!("bad format for path: {text}"));
    }
    let (source, target, mode) = match parts.as_slice() {
        [path] => (clean(path), None, "rwm"),
        [path, mode] if is_mode(mode) => (clean(path), None, *mode),
        [path, target] => (path.to_string(), Some(clean(target)), "rwm"),
        [path, target, mode] if is_mode(mode) => (path.to_string(), Some(target.to_string()), *mode),
        _ => return Err(format!("bad mode specified: {}", parts[2])),
    };
    let inside = target.unwrap_or_else(|| source.clone());
    if !inside.starts_with('/') {
        return Err(format!("{inside} is not an absolute path"));
    }
    Ok(json!({"PathOnHost": source, "PathInContainer": inside, "CgroupPermissions": mode}))
}

/// Each of `r`, `w`, `m` at most once.
fn is_mode(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| "rwm".contains(c))
        && text.chars().all(|c| text.matches(c).count() == 1)
}

/// Go's `path.Clean`: without `.`, `..` and doubled slashes.
pub(crate) fn clean(path: &str) -> String {
    let mut out = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            Component::ParentDir if out.has_root() => {}
            other => out.push(other),
        }
    }
    let text = out.to_string_lossy().into_owned();
    if text.is_empty() { ".".to_owned() } else { text }
}

/// `--device-cgroup-rule`: `c 1:3 rwm`.
pub(crate) fn cgroup_rule(text: &str) -> Result<String, String> {
    let number = |text: &str| text == "*" || (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()));
    let parts: Vec<&str> = text.split(' ').collect();
    let valid = match parts.as_slice() {
        [kind, numbers, mode] => {
            matches!(*kind, "a" | "b" | "c")
                && numbers.split_once(':').is_some_and(|(major, minor)| number(major) && number(minor))
                && (1..=3).contains(&mode.len())
                && mode.chars().all(|c| "rwm".contains(c))
        }
        _ => false,
    };
    if valid { Ok(text.to_owned()) } else { Err(format!("invalid device cgroup format '{text}'")) }
}

/// `/dev/x` and the rest behind the colon.
fn split(text: &str) -> Result<(&str, &str), String> {
    let (path, value) = text
        .split_once(':')
        .filter(|(path, _)| !path.is_empty())
        .ok_or_else(|| format!("bad format: {text}"))?;
    if !path.starts_with("/dev/") {
        return Err(format!("bad format for device path: {text}"));
    }
    Ok((path, value))
}

/// `--blkio-weight-device`: `/dev/sda:200`.
pub(crate) fn weight(text: &str) -> Result<Value, String> {
    let (path, value) = split(text)?;
    let weight: u16 = value
        .parse()
        .ok()
        .filter(|weight| *weight == 0 || (10..=1000).contains(weight))
        .ok_or_else(|| format!("invalid weight for device: {text}"))?;
    Ok(json!({"Path": path, "Weight": weight}))
}

/// `--device-read-bps`, `--device-write-bps`: `/dev/sda:1mb`.
pub(crate) fn bytes_rate(text: &str) -> Result<Value, String> {
    let (path, value) = split(text)?;
    let rate = units::parse_bytes(value).map_err(|_| {
        format!(
            "invalid rate for device: {text}. The correct format is <device-path>:<number>[<unit>]. \
             Number must be a positive integer. Unit is optional and can be kb, mb, or gb"
        )
    })?;
    Ok(json!({"Path": path, "Rate": rate}))
}

/// `--device-read-iops`, `--device-write-iops`: `/dev/sda:1000`.
pub(crate) fn operations_rate(text: &str) -> Result<Value, String> {
    let (path, value) = split(text)?;
    let rate: u64 = value.parse().map_err(|_| {
        format!(
            "invalid rate for device: {text}. The correct format is <device-path>:<number>. \
             Number must be a positive integer"
        )
    })?;
    Ok(json!({"Path": path, "Rate": rate}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn device_forms() {
        let one = |text: &str| devices(&[text.to_owned()]).map(|(maps, cdi)| (maps.first().cloned(), cdi));
        let mapped = one("/dev//x:/dev/y:rw");
        assert_eq!(mapped.unwrap().0.unwrap()["CgroupPermissions"], "rw");
        assert_eq!(one("/dev/x:r").unwrap().0.unwrap()["PathInContainer"], "/dev/x");
        assert_eq!(one("vendor.com/gpu=0").unwrap().1, ["vendor.com/gpu=0"]);
        assert_eq!(one("/dev/x:/y:z").unwrap_err(), "bad mode specified: z");
        assert_eq!(one("x").unwrap_err(), "x is not an absolute path");
        assert_eq!(clean("/a/./b/../c//"), "/a/c");
    }

    #[test]
    fn limits_per_device() {
        assert_eq!(weight("/dev/a:5").unwrap_err(), "invalid weight for device: /dev/a:5");
        assert_eq!(bytes_rate("/dev/a:1mb").unwrap()["Rate"], 1 << 20);
        assert_eq!(operations_rate("x:1").unwrap_err(), "bad format for device path: x:1");
        assert!(cgroup_rule("c 1:* rwm").is_ok() && cgroup_rule("c 1 rwm").is_err());
    }
}
