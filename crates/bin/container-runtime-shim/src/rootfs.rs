//! Mounting a container's root file system.

mod chroot;
mod in_a_page;
mod mapped;

use crate::error::{Error, Result};
use in_a_page::create_with_options;
use mapped::MappedLayers;
use rustix::fd::{AsFd, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Gid, Mode, OFlags, ResolveFlags, Uid, chownat, mkdirat, openat, openat2};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MountPropagationFlags, MoveMountFlags,
    UnmountFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, mount_change,
    move_mount, unmount,
};
use std::path::{Component, Path, PathBuf};

/// One mount, in the order of the request, as containerd describes it.
#[derive(Debug)]
pub(crate) struct Mount {
    pub(crate) kind: String,
    pub(crate) source: String,
    pub(crate) options: Vec<String>,
}

/// Leaves the host's mount namespace for a copy: what is mounted here is seen by nobody else and goes when the last
/// process in it does, while what the host mounts later still appears.
pub(crate) fn go_private() -> Result<()> {
    sys::namespaces::unshare_mounts().map_err(Error::kernel("leave the host's mount namespace"))?;
    let follow = || mount_change("/", MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC);
    follow()
        .or_else(|error| match error {
            Errno::INVAL => chroot::settle().and_then(|()| follow()),
            error => Err(error),
        })
        .map_err(Error::kernel("make the mounts of the shim's namespace slaves of the host's"))
}

/// Mounts all of them on `target`, one over the other; on failure none stays. An overlay with containerd's options `uidmap` and
/// `gidmap` gets its lower layers as the user namespace `user`, which has these maps, sees them.
pub(crate) fn mount(mounts: &[Mount], target: &Path, user: Option<&Path>) -> Result<()> {
    for (done, mount) in mounts.iter().enumerate() {
        if let Err(error) = mount_one(mount, target, user) {
            unmount_all(done, target);
            return Err(error);
        }
    }
    Ok(())
}

/// Makes a directory, the process's working one, inside the root file system, as runc does, with its owner as the host
/// knows it. Symbolic links lead nowhere else. Where it can't be made the process's start tells why.
pub(crate) fn make_directory(root: &Path, path: &str, owner: (u32, u32)) {
    let _ = try_make_directory(root, path, owner);
}

fn try_make_directory(root: &Path, path: &str, owner: (u32, u32)) -> rustix::io::Result<()> {
    let open = |root: BorrowedFd<'_>, path: &Path| {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        openat2(root, path, flags, Mode::empty(), ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS)
    };
    let root = openat(CWD, root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    if open(root.as_fd(), Path::new(path)).is_ok() {
        return Ok(());
    }
    let mut parent = open(root.as_fd(), Path::new("/"))?;
    let mut reached = PathBuf::from("/");
    for name in Path::new(path).components().filter(|part| matches!(part, Component::Normal(_))) {
        reached.push(name);
        parent = match open(root.as_fd(), &reached) {
            Err(Errno::NOENT) => {
                mkdirat(&parent, name.as_os_str(), Mode::from_raw_mode(0o755))?;
                let made = open(root.as_fd(), &reached)?;
                let (uid, gid) = (Uid::from_raw(owner.0), Gid::from_raw(owner.1));
                chownat(&made, "", Some(uid), Some(gid), AtFlags::EMPTY_PATH)?;
                made
            }
            other => other?,
        };
    }
    Ok(())
}

/// Takes `count` mounts off `target`.
pub(crate) fn unmount_all(count: usize, target: &Path) {
    for _ in 0..count {
        if let Err(error) = unmount(target, UnmountFlags::DETACH) {
            crate::log::note(format_args!("unmount {}: {error}", target.display()));
            return;
        }
    }
}

/// Takes every mount off `target`, of whose number nothing is known any more.
pub(crate) fn unmount_everything(target: &Path) {
    while unmount(target, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW).is_ok() {}
}

fn mount_one(mount: &Mount, target: &Path, user: Option<&Path>) -> Result<()> {
    let flags = Flags::split(&mount.options);
    if flags.bind {
        return bind(mount, &flags, target);
    }
    if flags.mapped {
        return create_mapped(mount, flags, target, user);
    }
    create(mount, &flags, target).and_then(|made| attach(made, target))
}

fn attach(made: OwnedFd, target: &Path) -> Result<()> {
    move_mount(made, "", CWD, target, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)
        .map_err(|cause| Error::file("mount the root file system on", target, cause))
}

fn create_mapped(mount: &Mount, flags: Flags<'_>, target: &Path, user: Option<&Path>) -> Result<()> {
    let Some(user) = user.filter(|_| mount.kind == "overlay") else {
        let what =
            format!("a root file system of type {} with mapped ids outside of a user namespace", mount.kind);
        return Err(Error::Unsupported { what });
    };
    let user = openat(CWD, user, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
        .map_err(|cause| Error::file("open namespace", user, cause))?;
    let layers = flags.data.iter().find_map(|option| option.strip_prefix("lowerdir=")).unwrap_or_default();
    let layers = MappedLayers::attach(&split_layers(layers), user.as_fd(), target)?;
    let option = layers.option();
    let mut flags = flags;
    flags.data.retain(|option| !option.starts_with("lowerdir="));
    flags.data.insert(0, &option);
    let made = create(mount, &flags, target)?;
    drop(layers);
    attach(made, target)
}

/// With the interface of file descriptors: no option string that ends at a page, and errors of their own. Not attached
/// yet.
fn create(mount: &Mount, flags: &Flags<'_>, target: &Path) -> Result<OwnedFd> {
    let failed = |doing: &'static str| {
        let kind = mount.kind.clone();
        move |error: Errno| Error::Invalid {
            problem: format!("mount {kind} root file system: {doing}: {error}"),
        }
    };
    // A kernel that knows no option for a single layer says so in its log each time, and before 6.5 only in the end.
    if mount.kind == "overlay" && !sys::kernel::is_at_least(6, 8) {
        return create_with_options(mount, flags, target);
    }
    let context = fsopen(mount.kind.as_str(), FsOpenFlags::FSOPEN_CLOEXEC).map_err(failed("open"))?;
    if !mount.source.is_empty() {
        fsconfig_set_string(&context, "source", mount.source.as_str()).map_err(failed("set source"))?;
    }
    for option in &flags.data {
        set_option(&context, &mount.kind, option)?;
    }
    if flags.attributes.contains(MountAttrFlags::MOUNT_ATTR_RDONLY) {
        fsconfig_set_flag(&context, "ro").map_err(failed("set ro"))?;
    }
    fsconfig_create(&context).map_err(|error| refused(&context, &mount.kind, error))?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, flags.attributes).map_err(failed("mount"))
}

fn set_option(context: &rustix::fd::OwnedFd, kind: &str, option: &str) -> Result<()> {
    let set = match option.split_once('=') {
        Some(("lowerdir", layers)) if kind == "overlay" => return set_layers(context, layers),
        Some((key, value)) => fsconfig_set_string(context, key, value),
        None => fsconfig_set_flag(context, option),
    };
    set.map_err(|error| {
        Error::invalid(format!(
            "mount {kind} root file system: option {option:?}: {}",
            reason(context, error)
        ))
    })
}

/// Each layer by itself.
fn set_layers(context: &rustix::fd::OwnedFd, layers: &str) -> Result<()> {
    split_layers(layers).into_iter().try_for_each(|layer| {
        fsconfig_set_string(context, "lowerdir+", layer.as_str())
            .map_err(|error| layer_refused(&layer, error))
    })
}

fn layer_refused(layer: &str, error: Errno) -> Error {
    Error::invalid(format!("mount overlay root file system: layer {layer}: {error}"))
}

/// At each colon that no backslash escapes.
fn split_layers(layers: &str) -> Vec<String> {
    let mut split = vec![String::new()];
    let mut characters = layers.chars();
    while let Some(character) = characters.next() {
        match character {
            ':' => split.push(String::new()),
            _ => {
                let literal = if character == '\\' { characters.next() } else { Some(character) };
                if let Some(last) = split.last_mut() {
                    last.extend(literal);
                }
            }
        }
    }
    split.retain(|layer| !layer.is_empty());
    split
}

/// The kernel's own words, which it leaves in the context, after the error number.
fn reason(context: &rustix::fd::OwnedFd, error: Errno) -> String {
    let mut text = error.to_string();
    let mut buffer = [0; 256];
    while let Ok(read) = rustix::io::read(context, &mut buffer) {
        if read == 0 {
            break;
        }
        // Each begins with its severity: `e `, `w ` or `i `.
        let line = String::from_utf8_lossy(&buffer[..read]);
        text.push_str(": ");
        text.push_str(line.get(2..).unwrap_or_default().trim_end());
    }
    text
}

fn refused(context: &rustix::fd::OwnedFd, kind: &str, error: Errno) -> Error {
    let message = format!("mount {kind} root file system: {}", reason(context, error));
    Error::Runtime { class: errors::Class::Internal, message }
}

fn bind(mount: &Mount, flags: &Flags<'_>, target: &Path) -> Result<()> {
    let source = Path::new(&mount.source);
    let bound = if flags.recursive {
        rustix::mount::mount_bind_recursive(source, target)
    } else {
        rustix::mount::mount_bind(source, target)
    };
    bound.map_err(|cause| Error::file("bind the root file system", source, cause))?;
    let readonly = flags.attributes.contains(MountAttrFlags::MOUNT_ATTR_RDONLY);
    if readonly {
        let remount = MountFlags::BIND | MountFlags::RDONLY;
        rustix::mount::mount_remount(target, remount, "").map_err(|cause| {
            unmount_all(1, target);
            Error::file("make read-only", target, cause)
        })?;
    }
    Ok(())
}

/// Options by who understands them.
struct Flags<'a> {
    bind: bool,
    recursive: bool,
    mapped: bool,
    attributes: MountAttrFlags,
    data: Vec<&'a str>,
}

impl<'a> Flags<'a> {
    fn split(options: &'a [String]) -> Self {
        let mut flags = Self {
            bind: false,
            recursive: false,
            mapped: false,
            attributes: MountAttrFlags::empty(),
            data: Vec::new(),
        };
        for option in options {
            match option.as_str() {
                "bind" => flags.bind = true,
                "rbind" => (flags.bind, flags.recursive) = (true, true),
                "ro" => flags.attributes |= MountAttrFlags::MOUNT_ATTR_RDONLY,
                "nosuid" => flags.attributes |= MountAttrFlags::MOUNT_ATTR_NOSUID,
                "nodev" => flags.attributes |= MountAttrFlags::MOUNT_ATTR_NODEV,
                "noexec" => flags.attributes |= MountAttrFlags::MOUNT_ATTR_NOEXEC,
                "noatime" => flags.attributes |= MountAttrFlags::MOUNT_ATTR_NOATIME,
                "rw" | "suid" | "dev" | "exec" | "relatime" | "rprivate" | "private" => {}
                map if map.starts_with("uidmap=") || map.starts_with("gidmap=") => flags.mapped = true,
                data => flags.data.push(data),
            }
        }
        flags
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_split_at_bare_colons() {
        assert_eq!(split_layers("/a:/b\\:c::/d"), ["/a", "/b:c", "/d"]);
    }

    #[test]
    fn options_are_sorted_by_who_understands_them() {
        let options = ["rbind", "ro", "index=off", "volatile"].map(str::to_owned);
        let flags = Flags::split(&options);
        assert!(flags.bind && flags.recursive);
        assert_eq!(flags.attributes, MountAttrFlags::MOUNT_ATTR_RDONLY);
        assert_eq!(flags.data, ["index=off", "volatile"]);
    }
}
