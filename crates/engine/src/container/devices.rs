//! Host devices that a container is given: names become numbers.

use errors::{Class, Error, Result};
use runtime::bundle::{DeviceKind, DeviceNumber, ResolvedDevice};
use rustix::fs::{FileType, Mode, major, minor};
use spec::{Device, Resources};
use std::collections::BTreeMap;
use std::path::Path;

/// The devices that the client asked for; a directory stands for all devices below it.
pub(super) fn resolve(devices: &[Device]) -> Result<Vec<ResolvedDevice>> {
    let mut resolved = Vec::new();
    for device in devices {
        let stat = rustix::fs::stat(device.host.as_str()).map_err(|error| {
            Error::wrap(Class::Invalid, error).context(format!(
                "error gathering device information while adding custom device \"{}\"",
                device.host
            ))
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

/// All devices of the host, for privileged containers; what the container makes itself is left out.
pub(super) fn all() -> Result<Vec<ResolvedDevice>> {
    let mut resolved = Vec::new();
    below(Path::new("/dev"), "/dev", "rwm", &mut resolved)?;
    Ok(resolved)
}

fn below(dir: &Path, target: &str, permissions: &str, into: &mut Vec<ResolvedDevice>) -> Result<()> {
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

fn one(_host: &str, target: &str, permissions: &str, stat: &rustix::fs::Stat) -> Option<ResolvedDevice> {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::CharacterDevice => DeviceKind::Char,
        FileType::BlockDevice => DeviceKind::Block,
        _ => return None,
    };
    Some(ResolvedDevice {
        path: target.to_owned(),
        kind,
        number: DeviceNumber { major: major(stat.st_rdev), minor: minor(stat.st_rdev) },
        mode: Mode::from_raw_mode(stat.st_mode).bits(),
        uid: stat.st_uid,
        gid: stat.st_gid,
        permissions: permissions.to_owned(),
    })
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
        let stat = rustix::fs::stat(path.as_str()).map_err(|error| {
            Error::wrap(Class::Invalid, error).context(format!("look up the device {path}"))
        })?;
        numbers.insert(path.clone(), DeviceNumber { major: major(stat.st_rdev), minor: minor(stat.st_rdev) });
    }
    Ok(numbers)
}
