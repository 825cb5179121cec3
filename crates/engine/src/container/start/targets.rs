//! What a container's mounts meet in its root file system, looked up before the runtime gets there.
//!
//! Runtimes say little when a file is to be mounted over a directory; and a tmpfs has the mode of the directory that it
//! covers.

use crate::Services;
use crate::container::devices::Found;
use containers::{MountPoint, MountPointKind, Record};
use errors::{Class, Error, Result};
use rustix::fs::{FileType, Mode, OFlags, ResolveFlags, fstat, openat2};
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::sync::Arc;

/// Permission bits of the directories that tmpfs mounts will cover, by their targets.
pub(in crate::container) type Modes = BTreeMap<String, u32>;

/// What stands at a path in the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum There {
    Nothing,
    /// With these permission bits.
    Directory(u32),
    File,
    /// A file where a directory of the path should be.
    Blocked,
}

/// Looks at the targets of all mounts, those of devices outside `/dev` too.
///
/// # Errors
/// `Invalid` for a mount that the kernel would refuse there.
pub(super) async fn lookup(services: &Arc<Services>, record: &Record, devices: &[Found]) -> Result<Modes> {
    let nodes = devices.iter().filter_map(Found::as_mount).map(|mount| MountPoint {
        kind: MountPointKind::Bind,
        source: mount.source,
        target: mount.target,
        read_only: false,
        propagation: None,
        mode: String::new(),
    });
    let points: Vec<MountPoint> = record.mounts.iter().cloned().chain(nodes).collect();
    if points.is_empty() {
        return Ok(Modes::new());
    }
    let (services, id) = (Arc::clone(services), record.id.clone());
    offload::blocking(move || -> Result<_> {
        let root = services.images.open_root(id.as_str())?;
        let mut modes = Modes::new();
        for point in &points {
            check_proc(point)?;
            if is_covered(point, &points) {
                continue;
            }
            let found = find(root.as_fd(), &point.target)?;
            check(point, found)?;
            if let (MountPointKind::Tmpfs, There::Directory(mode)) = (&point.kind, found) {
                modes.insert(point.target.clone(), mode);
            }
        }
        Ok(modes)
    })
    .await
}

/// Whether another mount lies between the root and the target: the root says nothing about it then.
fn is_covered(point: &MountPoint, mounts: &[MountPoint]) -> bool {
    let below = |parent: &str| Path::new(&point.target).starts_with(parent);
    let by_client = mounts.iter().any(|other| other.target != point.target && below(&other.target));
    by_client || ["/dev", "/proc", "/sys"].iter().any(|parent| below(parent))
}

fn find(root: BorrowedFd<'_>, target: &str) -> Result<There> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    let path = target.trim_start_matches('/');
    let file = match openat2(root, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve) {
        Ok(file) => file,
        Err(Errno::NOENT) => return Ok(There::Nothing),
        Err(Errno::NOTDIR) => return Ok(There::Blocked),
        Err(error) => {
            return Err(
                Error::wrap(Class::Invalid, error).context(format!("look at the mount target {target}"))
            );
        }
    };
    let stat = fstat(&file)
        .map_err(|error| Error::wrap(Class::Internal, error).context(format!("look at {target}")))?;
    Ok(match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => There::Directory(Mode::from_raw_mode(stat.st_mode).bits()),
        _ => There::File,
    })
}

fn check(point: &MountPoint, found: There) -> Result<()> {
    let directory = match point.kind {
        MountPointKind::Tmpfs => true,
        // One that went since it was looked at is told by whoever mounts it.
        MountPointKind::Bind | MountPointKind::Volume { .. } => Path::new(&point.source).is_dir(),
    };
    let source = match point.kind {
        MountPointKind::Tmpfs => "a tmpfs".to_owned(),
        _ if directory => format!("the directory \"{}\"", point.source),
        _ => format!("the file \"{}\"", point.source),
    };
    let over = match (directory, found) {
        (true, There::File) => "over the file",
        (false, There::Directory(_)) => "over the directory",
        (_, There::Blocked) => "below a file, at",
        _ => return Ok(()),
    };
    let target = &point.target;
    Err(Error::new(
        Class::Invalid,
        format!("cannot mount {source} {over} \"{target}\" of the image: not a directory"),
    ))
}

/// In `/proc` nothing can be made, and nothing but the kernel's own can stand in for it.
fn check_proc(point: &MountPoint) -> Result<()> {
    const PROC_SUPER_MAGIC: i64 = 0x9fa0;
    let target = &point.target;
    if target == "/proc" {
        let is_proc = |stat: rustix::fs::StatFs| stat.f_type == PROC_SUPER_MAGIC;
        let bound = matches!(point.kind, MountPointKind::Bind);
        if bound && rustix::fs::statfs(point.source.as_str()).is_ok_and(is_proc) {
            return Ok(());
        }
        return Err(Error::new(
            Class::Invalid,
            "cannot mount over \"/proc\": only the kernel's own proc can stand there",
        ));
    }
    if target.starts_with("/proc/") && !Path::new(target).exists() {
        return Err(Error::new(
            Class::Invalid,
            format!(
                "cannot mount at \"{target}\": no such file or directory, and nothing can be made in /proc"
            ),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(kind: MountPointKind, source: &str, target: &str) -> MountPoint {
        let (source, target) = (source.to_owned(), target.to_owned());
        MountPoint { kind, source, target, read_only: false, propagation: None, mode: String::new() }
    }

    #[test]
    fn files_and_directories_do_not_cover_each_other() {
        let directory = point(MountPointKind::Bind, "/usr", "/x");
        let file = point(MountPointKind::Bind, "/etc/hostname", "/x");
        let memory = point(MountPointKind::Tmpfs, "", "/x");
        assert!(check(&directory, There::Directory(0o755)).is_ok());
        assert!(check(&file, There::File).is_ok());
        for (point, found) in [
            (&directory, There::File),
            (&file, There::Directory(0o755)),
            (&memory, There::File),
            (&file, There::Blocked),
        ] {
            let error = check(point, found).unwrap_err().to_string();
            assert!(error.ends_with("not a directory"), "{error}");
        }
    }

    #[test]
    fn only_proc_stands_in_for_proc() {
        assert!(check_proc(&point(MountPointKind::Bind, "/proc", "/proc")).is_ok());
        assert!(check_proc(&point(MountPointKind::Bind, "/usr", "/proc")).is_err());
        assert!(check_proc(&point(MountPointKind::Bind, "/usr", "/proc/nothing")).is_err());
        assert!(check_proc(&point(MountPointKind::Bind, "/etc/hostname", "/proc/cpuinfo")).is_ok());
    }

    #[test]
    fn what_another_mount_covers_is_not_looked_at() {
        let mounts = [point(MountPointKind::Tmpfs, "", "/a"), point(MountPointKind::Tmpfs, "", "/a/b")];
        assert!(is_covered(&mounts[1], &mounts));
        assert!(!is_covered(&mounts[0], &mounts));
        assert!(is_covered(&point(MountPointKind::Tmpfs, "", "/dev/shm"), &[]));
    }
}
