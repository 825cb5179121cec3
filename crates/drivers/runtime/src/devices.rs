//! Looking up host devices: the one part of describing a container that reads the host's `/dev`.

use crate::bundle::{DeviceKind, DeviceNumber, ResolvedDevice};
use errors::{Class, Classified};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Why a device can't be given to a container.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// It can't be looked at.
    #[error("error gathering device information while adding custom device {path:?}")]
    Lookup {
        /// On the host.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Neither a device nor a directory with devices.
    #[error("error gathering device information while adding custom device {path:?}: not a device node")]
    NotADevice {
        /// On the host.
        path: PathBuf,
    },
}

impl Classified for DeviceError {
    fn class(&self) -> Class {
        match self {
            Self::Lookup { cause, .. } if cause.kind() != io::ErrorKind::NotFound => errors::io_class(cause),
            _ => Class::Invalid,
        }
    }
}

/// The devices that a client's wish stands for: itself, or all below a directory.
pub fn expand(wish: &spec::Device) -> Result<Vec<ResolvedDevice>, DeviceError> {
    let host = Path::new(&wish.host);
    let lookup = |cause| DeviceError::Lookup { path: host.to_path_buf(), cause };
    let real = fs::canonicalize(host).map_err(lookup)?;
    let metadata = fs::metadata(&real).map_err(lookup)?;
    let mut found = Vec::new();
    if metadata.is_dir() {
        walk(&real, &|_| true, &mut |path, metadata| {
            let below = path.strip_prefix(&real).unwrap_or(path);
            let inside = Path::new(&wish.container).join(below);
            found.extend(device(&inside, metadata, &wish.permissions));
        })
        .map_err(lookup)?;
    } else {
        found.extend(device(Path::new(&wish.container), &metadata, &wish.permissions));
    }
    if found.is_empty() { Err(DeviceError::NotADevice { path: host.to_path_buf() }) } else { Ok(found) }
}

/// All devices of the host that a privileged container sees: without terminals of others, and without what every
/// container has of its own.
pub fn host_devices() -> Result<Vec<ResolvedDevice>, DeviceError> {
    const OWN: [&str; 7] = ["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev"];
    let dev = Path::new("/dev");
    let mut found = Vec::new();
    let enter = |path: &Path| path.file_name().is_none_or(|name| !OWN.iter().any(|own| *own == name));
    walk(dev, &enter, &mut |path, metadata| {
        if path != Path::new("/dev/console") {
            found.extend(device(path, metadata, "rwm"));
        }
    })
    .map_err(|cause| DeviceError::Lookup { path: dev.to_path_buf(), cause })?;
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// The number of a block device, for blkio limits.
pub fn block_number(path: &Path) -> Result<DeviceNumber, DeviceError> {
    let metadata =
        fs::metadata(path).map_err(|cause| DeviceError::Lookup { path: path.to_path_buf(), cause })?;
    if metadata.file_type().is_block_device() {
        Ok(number(&metadata))
    } else {
        Err(DeviceError::NotADevice { path: path.to_path_buf() })
    }
}

/// Visits everything below a directory that is not one; vanishing entries and symbolic links are passed over.
fn walk(
    directory: &Path,
    enter: &dyn Fn(&Path) -> bool,
    visit: &mut dyn FnMut(&Path, &Metadata),
) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        if !metadata.is_dir() {
            visit(&path, &metadata);
        } else if enter(&path) {
            walk(&path, enter, visit)?;
        }
    }
    Ok(())
}

fn device(inside: &Path, metadata: &Metadata, permissions: &str) -> Option<ResolvedDevice> {
    let file_type = metadata.file_type();
    let kind = if file_type.is_char_device() {
        DeviceKind::Char
    } else if file_type.is_block_device() {
        DeviceKind::Block
    } else {
        return None;
    };
    Some(ResolvedDevice {
        path: inside.to_string_lossy().into_owned(),
        kind,
        number: number(metadata),
        mode: metadata.permissions().mode() & 0o7777,
        uid: metadata.uid(),
        gid: metadata.gid(),
        permissions: permissions.to_owned(),
    })
}

fn number(metadata: &Metadata) -> DeviceNumber {
    let device = metadata.rdev();
    DeviceNumber { major: rustix::fs::major(device), minor: rustix::fs::minor(device) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(host: &str, container: &str) -> spec::Device {
        spec::Device { host: host.into(), container: container.into(), permissions: "rw".into() }
    }

    #[test]
    fn a_device_has_its_numbers_and_the_wished_path() {
        let found = expand(&wish("/dev/null", "/dev/nothing")).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].path, "/dev/nothing");
        assert_eq!(found[0].number, DeviceNumber { major: 1, minor: 3 });
        assert_eq!((found[0].kind, found[0].permissions.as_str()), (DeviceKind::Char, "rw"));
    }

    #[test]
    fn what_is_no_device_is_refused() {
        assert!(matches!(expand(&wish("/etc/passwd", "/x")), Err(DeviceError::NotADevice { .. })));
        let missing = expand(&wish("/dev/no-such-thing", "/x")).unwrap_err();
        assert_eq!(missing.class(), Class::Invalid);
        assert!(matches!(block_number(Path::new("/dev/null")), Err(DeviceError::NotADevice { .. })));
    }

    #[test]
    fn privileged_containers_see_devices_but_not_terminals_of_others() {
        let found = host_devices().unwrap();
        assert!(found.iter().any(|device| device.path == "/dev/null"));
        assert!(!found.iter().any(|device| device.path.starts_with("/dev/pts/")));
    }
}
