//! Host devices that a container is given: names become numbers.

use errors::{Class, Error, Result};
use runtime::bundle::{DeviceKind, DeviceNumber, ResolvedDevice, ResolvedMount};
use rustix::fs::{FileType, Mode, major, minor};
use spec::{Device, Resources, Security};
use std::collections::BTreeMap;
use std::path::Path;

/// A device of the host.
#[derive(Debug, Clone)]
pub(super) struct Found {
    host: String,
    /// What the container is given.
    pub(super) device: ResolvedDevice,
}

impl Found {
    /// Runtimes make nodes in `/dev` only; elsewhere the host's is shown.
    pub(super) fn as_mount(&self) -> Option<ResolvedMount> {
        let elsewhere = !self.device.path.starts_with("/dev/");
        elsewhere.then(|| ResolvedMount {
            target: self.device.path.clone(),
            source: self.host.clone(),
            fstype: "bind".to_owned(),
            options: ["bind", "rprivate"].map(str::to_owned).to_vec(),
        })
    }
}

/// The devices of a container: all of the host's with privileges, and those that the client asked for.
pub(super) fn of(security: &Security) -> Result<Vec<Found>> {
    let mut devices = if security.privileged { all()? } else { Vec::new() };
    for found in resolve(&security.devices)? {
        devices.retain(|other| other.device.path != found.device.path);
        devices.push(found);
    }
    Ok(devices)
}

/// Those that the client asked for; a directory stands for all devices below it.
fn resolve(devices: &[Device]) -> Result<Vec<Found>> {
    let mut resolved = Vec::new();
    for device in devices {
        let stat = rustix::fs::stat(device.host.as_str()).map_err(|error| {
            Error::new(
                Class::Invalid,
                format!(
                    "error gathering device information while adding custom device \"{}\": {}",
                    device.host,
                    words(error)
                ),
            )
        })?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            let before = resolved.len();
            below(Path::new(&device.host), &device.container, &device.permissions, &mut resolved)?;
            if resolved.len() == before {
                return Err(Error::new(
                    Class::Invalid,
                    format!("no device below the directory {}", device.host),
                ));
            }
        } else {
            resolved.push(one(&device.host, &device.container, &device.permissions, &stat).ok_or_else(|| {
                Error::new(
                    Class::Invalid,
                    format!(
                        "error gathering device information while adding custom device \"{}\": not a device node",
                        device.host
                    ),
                )
            })?);
        }
    }
    Ok(resolved)
}

/// All devices of the host; what the container makes itself is left out.
fn all() -> Result<Vec<Found>> {
    let mut resolved = Vec::new();
    below(Path::new("/dev"), "/dev", "rwm", &mut resolved)?;
    Ok(resolved)
}

fn below(dir: &Path, target: &str, permissions: &str, into: &mut Vec<Found>) -> Result<()> {
    const OWN: [&str; 7] = ["pts", "shm", "fd", "mqueue", "console", ".lxc", ".udev"];
    let failed = |error: std::io::Error| {
        Error::wrap(Class::Internal, error).context(format!("read {}", dir.display()))
    };
    for entry in std::fs::read_dir(dir).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !OWN.contains(name)) else { continue };
        let path = entry.path();
        // A device may go while we look.
        let Ok(stat) = rustix::fs::lstat(&path) else { continue };
        let target = format!("{target}/{name}");
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => below(&path, &target, permissions, into)?,
            _ => into.extend(one(&path.display().to_string(), &target, permissions, &stat)),
        }
    }
    Ok(())
}

fn one(host: &str, target: &str, permissions: &str, stat: &rustix::fs::Stat) -> Option<Found> {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice => DeviceKind::Char,
        FileType::BlockDevice => DeviceKind::Block,
        _ => return None,
    };
    let device = ResolvedDevice {
        path: target.to_owned(),
        kind,
        number: DeviceNumber { major: major(stat.st_rdev), minor: minor(stat.st_rdev) },
        mode: Mode::from_raw_mode(stat.st_mode).bits(),
        uid: stat.st_uid,
        gid: stat.st_gid,
        permissions: permissions.to_owned(),
    };
    Some(Found { host: host.to_owned(), device })
}

/// The kernel's words as clients know them from docker: in small letters, without the number.
fn words(error: rustix::io::Errno) -> String {
    let text = error.to_string().to_lowercase();
    text.split(" (os error").next().unwrap_or_default().to_owned()
}

/// Numbers of the block devices that limits name.
pub(super) fn block_devices(resources: &Resources) -> Result<BTreeMap<String, DeviceNumber>> {
    let throttles = [
        &resources.blkio_read_bps,
        &resources.blkio_write_bps,
        &resources.blkio_read_iops,
        &resources.blkio_write_iops,
    ];
    let paths = throttles.into_iter().flatten().map(|throttle| &throttle.path);
    let paths = paths.chain(resources.blkio_weight_device.iter().map(|weight| &weight.path));
    let mut numbers = BTreeMap::new();
    for path in paths {
        let stat = rustix::fs::stat(path.as_str())
            .map_err(|error| Error::new(Class::Invalid, format!("stat {path}: {}", words(error))))?;
        numbers.insert(path.clone(), DeviceNumber { major: major(stat.st_rdev), minor: minor(stat.st_rdev) });
    }
    Ok(numbers)
}
