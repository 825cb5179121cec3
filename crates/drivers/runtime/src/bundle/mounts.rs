//! The mounts of a container: Docker's default ones, and how binds and tmpfs are written.

use super::error::BundleError;
use super::process::uses_init;
use super::resolved::{Resolved, ResolvedMount, Shm};
use oci_spec::runtime::{Mount, MountBuilder};
use spec::{ContainerSpec, IpcMode, Propagation, Tmpfs};

/// Where the small init shows up in a container.
pub(super) const INIT_PATH: &str = "/sbin/docker-init";

/// Bytes of `/dev/shm` if the client does not say.
const DEFAULT_SHM_SIZE: i64 = 64 << 20;

/// Writable also with a read-only root.
const ALWAYS_WRITABLE: [&str; 5] = ["/proc", "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev"];

/// Default mounts that nothing of the client's replaces, then the resolved ones, those nearer the root first.
pub(super) fn of_container(spec: &ContainerSpec, resolved: &Resolved) -> Vec<Mount> {
    let mut mounts = defaults(spec, resolved);
    let replaces = |target: &str| resolved.mounts.iter().any(|mount| mount.target == target);
    let dev_replaced = replaces("/dev");
    mounts.retain(|mount| !(replaces(&mount.target) || dev_replaced && mount.target.starts_with("/dev/")));
    for mount in &mut mounts {
        adjust(mount, spec, resolved);
    }
    let mut wanted = resolved.mounts.clone();
    wanted.sort_by_key(|mount| mount.target.split('/').filter(|part| !part.is_empty()).count());
    mounts.extend(wanted);
    mounts.into_iter().map(into_oci).collect()
}

/// What privileges and a read-only root change of a default mount.
fn adjust(mount: &mut ResolvedMount, spec: &ContainerSpec, resolved: &Resolved) {
    if spec.filesystem.read_only && !ALWAYS_WRITABLE.contains(&mount.target.as_str()) {
        let read_only = mount.options.iter().any(|option| option == "ro");
        if !read_only {
            mount.options.push("ro".to_owned());
        }
    }
    // In a user namespace the cgroup mount can't be made read-only.
    let writable_cgroup = spec.security.privileged || resolved.id_maps.is_some();
    let writable = match mount.fstype.as_str() {
        "sysfs" => spec.security.privileged,
        "cgroup" => writable_cgroup,
        _ => false,
    };
    if writable {
        mount.options.retain(|option| option != "ro");
    }
}

fn defaults(spec: &ContainerSpec, resolved: &Resolved) -> Vec<ResolvedMount> {
    let mut mounts = vec![
        mount("/proc", "proc", "proc", &["nosuid", "noexec", "nodev"]),
        mount("/dev", "tmpfs", "tmpfs", &["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount(
            "/dev/pts",
            "devpts",
            "devpts",
            &["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"],
        ),
        mount("/sys", "sysfs", "sysfs", &["nosuid", "noexec", "nodev", "ro"]),
        mount("/sys/fs/cgroup", "cgroup", "cgroup", &["ro", "nosuid", "noexec", "nodev"]),
        mount("/dev/mqueue", "mqueue", "mqueue", &["nosuid", "noexec", "nodev"]),
    ];
    mounts.extend(shm(spec, &resolved.shm));
    if let Some(init) = resolved.init.as_ref().filter(|_| uses_init(spec, resolved)) {
        mounts.push(mount(INIT_PATH, "bind", &init.to_string_lossy(), &["bind", "ro"]));
    }
    mounts
}

fn shm(spec: &ContainerSpec, shm: &Shm) -> Option<ResolvedMount> {
    match shm {
        Shm::None => None,
        Shm::Private if spec.namespaces.ipc == IpcMode::None => None,
        Shm::Private => {
            let size = spec.filesystem.shm_size.filter(|size| *size > 0).unwrap_or(DEFAULT_SHM_SIZE);
            let options = ["nosuid", "noexec", "nodev", "mode=1777", &format!("size={size}")];
            Some(mount("/dev/shm", "tmpfs", "shm", &options))
        }
        Shm::Path(path) => Some(mount("/dev/shm", "bind", &path.to_string_lossy(), &["rbind", "rprivate"])),
    }
}

fn mount(target: &str, fstype: &str, source: &str, options: &[&str]) -> ResolvedMount {
    ResolvedMount {
        target: target.to_owned(),
        source: source.to_owned(),
        fstype: fstype.to_owned(),
        options: options.iter().map(|&option| option.to_owned()).collect(),
    }
}

fn into_oci(mount: ResolvedMount) -> Mount {
    MountBuilder::default()
        .destination(mount.target)
        .typ(mount.fstype)
        .source(mount.source)
        .options(mount.options)
        .build()
        .expect(super::ALL_SET)
}

/// What the root needs so that mounts which propagate can: `shared`, `rslave`, or nothing.
pub(super) fn rootfs_propagation(mounts: &[ResolvedMount]) -> Option<&'static str> {
    let has = |names: [&str; 2]| {
        mounts.iter().flat_map(|mount| &mount.options).any(|option| names.contains(&option.as_str()))
    };
    if has(["shared", "rshared"]) {
        Some("shared")
    } else if has(["slave", "rslave"]) {
        Some("rslave")
    } else {
        None
    }
}

/// How a host path is shown in a container, for [`bind_mount`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BindRequest {
    /// Path in the container.
    pub target: String,
    /// Path on the host.
    pub source: String,
    /// Whether it is read-only.
    pub read_only: bool,
    /// None: `rprivate`.
    pub propagation: Option<Propagation>,
    /// Leave out mounts below the source.
    pub non_recursive: bool,
    /// Read-only does not extend to mounts below the source.
    pub read_only_non_recursive: bool,
    /// Fail where recursive read-only is impossible.
    pub read_only_force_recursive: bool,
}

/// A bind mount as Docker writes it. Read-only is recursive where the kernel (5.12) can do that and the client does
/// not forbid it.
pub fn bind_mount(request: &BindRequest, kernel: (u32, u32)) -> Result<ResolvedMount, BundleError> {
    let mut options = vec![if request.non_recursive { "bind" } else { "rbind" }];
    if request.read_only {
        if request.read_only_non_recursive && request.read_only_force_recursive {
            return Err(BundleError::ReadOnlyConflict);
        }
        let can = kernel >= (5, 12);
        if request.read_only_force_recursive && !can {
            return Err(BundleError::NoRecursiveReadOnly);
        }
        options.push(if can && !request.read_only_non_recursive { "rro" } else { "ro" });
    }
    options.push(request.propagation.unwrap_or(Propagation::RPrivate).as_str());
    Ok(mount(&request.target, "bind", &request.source, &options))
}

/// Flags of a tmpfs of which one or the other holds: a later one replaces an earlier one.
const OPPOSITES: [(&str, &str); 9] = [
    ("noexec", "exec"),
    ("nosuid", "suid"),
    ("nodev", "dev"),
    ("ro", "rw"),
    ("noatime", "atime"),
    ("nodiratime", "diratime"),
    ("norelatime", "relatime"),
    ("nostrictatime", "strictatime"),
    ("async", "sync"),
];

/// Flags of a tmpfs without an opposite.
const OTHER_FLAGS: [&str; 4] = ["mand", "nomand", "dirsync", "remount"];

/// Settings of a tmpfs that take a value.
const SETTINGS: [&str; 7] = ["size", "mode", "uid", "gid", "nr_inodes", "nr_blocks", "mpol"];

/// A tmpfs as Docker writes it: `noexec`, `nosuid` and `nodev` unless the client says otherwise.
pub fn tmpfs_mount(target: &str, tmpfs: &Tmpfs, read_only: bool) -> Result<ResolvedMount, BundleError> {
    let mut wanted: Vec<String> = ["noexec", "nosuid", "nodev", "rprivate"].map(str::to_owned).to_vec();
    if read_only {
        wanted.push("ro".to_owned());
    }
    wanted.extend(tmpfs.size.map(|size| format!("size={size}")));
    wanted.extend(tmpfs.mode.map(|mode| format!("mode={mode:o}")));
    let given =
        tmpfs.options.iter().flat_map(|options| options.split(',')).filter(|option| !option.is_empty());
    wanted.extend(given.map(str::to_owned));
    let mut options: Vec<String> = Vec::with_capacity(wanted.len());
    for option in wanted {
        let name = option.split('=').next().unwrap_or_default();
        let subject = subject(&option).ok_or_else(|| BundleError::TmpfsOption { option: name.to_owned() })?;
        check_value(&option)?;
        options.retain(|earlier| self::subject(earlier).as_ref() != Some(&subject));
        options.push(option);
    }
    Ok(ResolvedMount {
        target: target.to_owned(),
        source: "tmpfs".to_owned(),
        fstype: "tmpfs".to_owned(),
        options,
    })
}

/// Refuses values that the kernel would, without a word about which one it was.
fn check_value(option: &str) -> Result<(), BundleError> {
    let Some((name, value)) = option.split_once('=') else { return Ok(()) };
    let digits = |text: &str, radix: u32| !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    let good = match name {
        "mode" => digits(value, 8),
        "uid" | "gid" => digits(value, 10),
        "size" | "nr_inodes" | "nr_blocks" => {
            let number = value.strip_suffix(['k', 'm', 'g', 't', 'K', 'M', 'G', 'T', '%']).unwrap_or(value);
            digits(number, 10) || number.strip_prefix("0x").is_some_and(|hex| digits(hex, 16))
        }
        _ => true,
    };
    if good {
        return Ok(());
    }
    Err(BundleError::TmpfsValue { option: name.to_owned(), value: value.to_owned() })
}

/// What an option is about, so that a later one about the same replaces it; none: not an option of tmpfs.
fn subject(option: &str) -> Option<String> {
    if let Some((name, _)) = option.split_once('=') {
        return SETTINGS.contains(&name).then(|| name.to_owned());
    }
    if let Some((no, _)) = OPPOSITES.iter().find(|(no, yes)| *no == option || *yes == option) {
        return Some((*no).to_owned());
    }
    if Propagation::parse(option).is_some() {
        return Some("propagation".to_owned());
    }
    OTHER_FLAGS.contains(&option).then(|| option.to_owned())
}
