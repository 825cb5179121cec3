//! Overlays before Linux 6.8, where all lower layers are one option: with `mount(2)`, whose options end at a page.

use super::{Flags, Mount, split_layers, unmount_all};
use crate::error::{Error, Result};
use rustix::fd::OwnedFd;
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::mount::{MountAttrFlags, MountFlags, OpenTreeFlags, open_tree};
use std::ffi::CString;
use std::path::{Path, PathBuf};

/// The page holds them and a zero byte.
const PAGE: usize = 4096;

/// Mounts it on `target`, clones the mount, and takes it off again. In a process of one thread, whose working directory may be
/// another meanwhile.
pub(super) fn create_with_options(mount: &Mount, flags: &Flags<'_>, target: &Path) -> Result<OwnedFd> {
    let failed = |cause| Error::file("mount the root file system on", target, cause);
    let options = flags.data.join(",");
    if options.len() < PAGE {
        mount_with(mount, flags, target, options)?;
    } else {
        // Names from the directory that all layers are below are shorter.
        let (base, options) = shortened(&flags.data);
        let here = openat(CWD, ".", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(failed)?;
        rustix::process::chdir(&base).map_err(|cause| Error::file("enter", &base, cause))?;
        let mounted = mount_with(mount, flags, target, options);
        rustix::process::fchdir(&here).map_err(failed)?;
        mounted?;
    }
    let flags = OpenTreeFlags::OPEN_TREE_CLOEXEC | OpenTreeFlags::OPEN_TREE_CLONE;
    let made = open_tree(CWD, target, flags).map_err(failed);
    unmount_all(1, target);
    made
}

fn mount_with(mount: &Mount, flags: &Flags<'_>, target: &Path, options: String) -> Result<()> {
    let both = [
        (MountAttrFlags::MOUNT_ATTR_RDONLY, MountFlags::RDONLY),
        (MountAttrFlags::MOUNT_ATTR_NOSUID, MountFlags::NOSUID),
        (MountAttrFlags::MOUNT_ATTR_NODEV, MountFlags::NODEV),
        (MountAttrFlags::MOUNT_ATTR_NOEXEC, MountFlags::NOEXEC),
        (MountAttrFlags::MOUNT_ATTR_NOATIME, MountFlags::NOATIME),
    ];
    let wanted = both.into_iter().filter(|(attribute, _)| flags.attributes.contains(*attribute));
    let wanted = wanted.fold(MountFlags::empty(), |all, (_, flag)| all | flag);
    let options = CString::new(options).map_err(|_| {
        Error::invalid("mount overlay root file system: an option holds a zero byte".to_owned())
    })?;
    let (source, kind) = (mount.source.as_str(), mount.kind.as_str());
    rustix::mount::mount(source, target, kind, wanted, Some(options.as_c_str()))
        .map_err(|cause| Error::file("mount the root file system on", target, cause))
}

/// The directory that all lower layers are below, and the options with the layers' names from there.
fn shortened(options: &[&str]) -> (PathBuf, String) {
    let layers = options.iter().find_map(|option| option.strip_prefix("lowerdir=")).unwrap_or_default();
    let layers: Vec<PathBuf> = split_layers(layers).into_iter().map(PathBuf::from).collect();
    let mut base =
        layers.first().and_then(|layer| layer.parent()).unwrap_or_else(|| Path::new("/")).to_owned();
    while !layers.iter().all(|layer| layer.starts_with(&base)) && base.pop() {}
    let short = layers.iter().map(|layer| layer.strip_prefix(&base).unwrap_or(layer).display().to_string());
    let short: Vec<_> = short.map(|layer| layer.replace('\\', "\\\\").replace(':', "\\:")).collect();
    let lower = format!("lowerdir={}", short.join(":"));
    let option = |option: &&str| {
        if option.starts_with("lowerdir=") { lower.clone() } else { (*option).to_owned() }
    };
    (base, options.iter().map(option).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_from_the_directory_that_all_are_in() {
        let options =
            ["lowerdir=/var/lib/layers/i/x:/var/lib/layers/l/a\\:b:/var/lib/layers/l/c", "upperdir=/u"];
        let (base, options) = shortened(&options);
        assert_eq!(base, Path::new("/var/lib/layers"));
        assert_eq!(options, "lowerdir=i/x:l/a\\:b:l/c,upperdir=/u");
        assert_eq!(shortened(&["lowerdir=/a:/b"]), (PathBuf::from("/"), "lowerdir=a:b".to_owned()));
        let numbers = shortened(&["lowerdir=/proc/self/fd/7:/proc/self/fd/8"]);
        assert_eq!(numbers, (PathBuf::from("/proc/self/fd"), "lowerdir=7:8".to_owned()));
    }

    #[test]
    fn as_many_layers_as_an_image_may_have_fit_a_page() {
        let layer = |number: usize| format!("{}/layers/l/{number:06}", "/a-long-directory".repeat(10));
        let layers: Vec<_> = (0..129).map(layer).collect();
        let options = [format!("lowerdir={}", layers.join(":")), format!("upperdir=/{}", "u".repeat(300))];
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        assert!(options.join(",").len() > PAGE);
        assert!(shortened(&options).1.len() < PAGE);
    }
}
