//! Docker's local driver: a directory, or what `type`, `o` and `device` say is mounted on it.

use crate::mount_options::MountOptions;
use crate::{Result, VolumeError};
use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags};
use std::collections::BTreeMap;
use std::ffi::CString;
use std::io;
use std::net::IpAddr;
use std::path::Path;

/// The name of the one driver.
pub const DRIVER: &str = "local";

/// Each option with the one that it needs besides.
const NEEDS: [(&str, &str); 4] = [("type", "device"), ("device", "type"), ("o", "device"), ("o", "type")];

/// Whether `options` make sense together, in Docker's words if not. What they name may come to exist later.
pub(crate) fn validate(name: &str, options: &BTreeMap<String, String>) -> Result<()> {
    let name = || name.to_owned();
    let known = |option: &&String| matches!(option.as_str(), "type" | "o" | "device" | "size");
    if let Some(option) = options.keys().find(|option| !known(option)) {
        return Err(VolumeError::UnknownOption { name: name(), option: option.clone() });
    }
    let lacking =
        NEEDS.iter().find(|(has, needs)| options.contains_key(*has) && !options.contains_key(*needs));
    if let Some((_, option)) = lacking {
        return Err(VolumeError::MissingOption { name: name(), option });
    }
    if options.contains_key("size") {
        return Err(VolumeError::NoQuota { name: name() });
    }
    Ok(())
}

/// Whether the volume is more than a directory.
pub(crate) fn needs_mount(options: &BTreeMap<String, String>) -> bool {
    let given = |name| options.get(name).is_some_and(|value: &String| !value.is_empty());
    given("type") && given("device")
}

/// Mounts what the options say on `target`, unless something is mounted there. Blocks.
pub(crate) fn mount(options: &BTreeMap<String, String>, target: &Path) -> Result<()> {
    let option = |name| options.get(name).map_or("", String::as_str);
    let (fstype, device) = (option("type"), option("device"));
    let failed = |source| VolumeError::Mount { target: target.to_owned(), device: device.to_owned(), source };
    if is_mounted(target).map_err(failed)? {
        return Ok(());
    }
    let options = MountOptions::parse(&with_address(fstype, option("o"), target)?);
    match mount_steps(&options, device, fstype, target) {
        Ok(()) => Ok(()),
        Err(error) => {
            // A later step failed: nothing half-made may stay.
            let _ = rustix::mount::unmount(target, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW);
            Err(failed(error.into()))
        }
    }
}

fn mount_steps(options: &MountOptions, device: &str, fstype: &str, target: &Path) -> Result<(), Errno> {
    let data = CString::new(options.data.as_str()).map_err(|_| Errno::INVAL)?;
    rustix::mount::mount(
        device,
        target,
        fstype,
        options.flags,
        (!options.data.is_empty()).then_some(&*data),
    )?;
    // A bind mount takes these flags only when it is mounted anew.
    if options.flags.contains(MountFlags::BIND)
        && !(options.flags - MountFlags::BIND - MountFlags::REC).is_empty()
    {
        rustix::mount::mount_remount(target, options.flags, "")?;
    }
    match options.propagation {
        Some(propagation) => rustix::mount::mount_change(target, propagation),
        None => Ok(()),
    }
}

/// Takes the driver's mount away, if it is there. Blocks.
pub(crate) fn unmount(target: &Path) -> Result<()> {
    let failed = |source| VolumeError::Unmount { target: target.to_owned(), source };
    while is_mounted(target).map_err(failed)? {
        rustix::mount::unmount(target, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)
            .map_err(|error| failed(error.into()))?;
    }
    Ok(())
}

/// What the kernel says; a directory that does not exist is not mounted.
pub(crate) fn is_mounted(target: &Path) -> io::Result<bool> {
    match rustix::fs::statx(
        CWD,
        target,
        AtFlags::SYMLINK_NOFOLLOW | AtFlags::NO_AUTOMOUNT,
        StatxFlags::empty(),
    ) {
        Ok(stat) => Ok(stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT)),
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Network file systems want an address where people write `addr=server`; the kernel looks up no names.
fn with_address(fstype: &str, options: &str, target: &Path) -> Result<String> {
    if !fstype.starts_with("nfs") && fstype != "cifs" {
        return Ok(options.to_owned());
    }
    let resolved = options.split(',').map(|option| match option.strip_prefix("addr=") {
        None => Ok(option.to_owned()),
        Some(host) => match address(host) {
            Some(address) => Ok(format!("addr={address}")),
            None => Err(VolumeError::HostName { target: target.to_owned(), host: host.to_owned() }),
        },
    });
    Ok(resolved.collect::<Result<Vec<_>>>()?.join(","))
}

fn address(host: &str) -> Option<IpAddr> {
    host.parse().ok().or_else(|| {
        let hosts = std::fs::read_to_string("/etc/hosts").ok()?;
        find_host(&hosts, host)
    })
}

/// The first address that `hosts(5)` gives for `name`.
fn find_host(hosts: &str, name: &str) -> Option<IpAddr> {
    hosts.lines().find_map(|line| {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let address = words.next()?.parse().ok()?;
        words.any(|word| word.eq_ignore_ascii_case(name)).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn options_are_checked_in_dockers_words() {
        for (given, message) in [
            (&[("foo", "x")][..], "create v: invalid option: \"foo\""),
            (&[("type", "tmpfs")], "create v: missing required option: \"device\""),
            (&[("device", "/x")], "create v: missing required option: \"type\""),
            (&[("o", "ro")], "create v: missing required option: \"device\""),
            (&[("type", "none"), ("o", "bind")], "create v: missing required option: \"device\""),
            (&[("size", "1g")], "create v: quota size requested but no quota support"),
        ] {
            assert_eq!(validate("v", &options(given)).unwrap_err().to_string(), message);
        }
        let bind = options(&[("type", "none"), ("o", "bind"), ("device", "/nowhere")]);
        validate("v", &bind).unwrap();
        assert!(needs_mount(&bind));
        assert!(!needs_mount(&options(&[])));
    }

    #[test]
    fn servers_become_addresses() {
        let target = Path::new("/v");
        assert_eq!(with_address("nfs", "addr=10.0.0.1,rw", target).unwrap(), "addr=10.0.0.1,rw");
        assert_eq!(with_address("tmpfs", "addr=x", target).unwrap(), "addr=x");
        assert!(with_address("nfs4", "addr=no.such.host.invalid", target).is_err());
        let hosts = "127.0.0.1 localhost\n# 10.0.0.9 files\n10.0.0.2 other files # nas\n::1 files";
        assert_eq!(find_host(hosts, "FILES"), Some(IpAddr::from([10, 0, 0, 2])));
        assert_eq!(find_host(hosts, "nas"), None);
    }
}
