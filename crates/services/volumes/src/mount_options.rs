//! Mount options as people write them (`ro,nosuid,size=10m`), taken apart for the kernel.

use rustix::mount::{MountFlags, MountPropagationFlags};

/// What `mount(2)` takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MountOptions {
    pub(crate) flags: MountFlags,
    pub(crate) propagation: Option<MountPropagationFlags>,
    /// What the file system itself understands.
    pub(crate) data: String,
}

impl MountOptions {
    /// Later options win over earlier ones, as with mount(8).
    pub(crate) fn parse(text: &str) -> Self {
        let (mut flags, mut propagation, mut data) = (MountFlags::empty(), None, Vec::new());
        for option in text.split(',').map(str::trim).filter(|option| !option.is_empty()) {
            if let Some((flag, set)) = flag(option) {
                flags.set(flag, set);
            } else if let Some(kind) = propagation_of(option) {
                propagation = Some(kind);
            } else if option != "defaults" {
                data.push(option);
            }
        }
        Self { flags, propagation, data: data.join(",") }
    }
}

/// The flag that an option stands for, and whether the option sets it.
fn flag(option: &str) -> Option<(MountFlags, bool)> {
    Some(match option {
        "ro" => (MountFlags::RDONLY, true),
        "rw" => (MountFlags::RDONLY, false),
        "nosuid" => (MountFlags::NOSUID, true),
        "suid" => (MountFlags::NOSUID, false),
        "nodev" => (MountFlags::NODEV, true),
        "dev" => (MountFlags::NODEV, false),
        "noexec" => (MountFlags::NOEXEC, true),
        "exec" => (MountFlags::NOEXEC, false),
        "sync" => (MountFlags::SYNCHRONOUS, true),
        "async" => (MountFlags::SYNCHRONOUS, false),
        "dirsync" => (MountFlags::DIRSYNC, true),
        "mand" => (MountFlags::PERMIT_MANDATORY_FILE_LOCKING, true),
        "nomand" => (MountFlags::PERMIT_MANDATORY_FILE_LOCKING, false),
        "noatime" => (MountFlags::NOATIME, true),
        "atime" => (MountFlags::NOATIME, false),
        "nodiratime" => (MountFlags::NODIRATIME, true),
        "diratime" => (MountFlags::NODIRATIME, false),
        "relatime" => (MountFlags::RELATIME, true),
        "norelatime" => (MountFlags::RELATIME, false),
        "strictatime" => (MountFlags::STRICTATIME, true),
        "nostrictatime" => (MountFlags::STRICTATIME, false),
        "bind" => (MountFlags::BIND, true),
        "rbind" => (MountFlags::BIND | MountFlags::REC, true),
        _ => return None,
    })
}

fn propagation_of(option: &str) -> Option<MountPropagationFlags> {
    let (kind, recursive) = match option.strip_prefix('r') {
        Some(kind) => (kind, MountPropagationFlags::REC),
        None => (option, MountPropagationFlags::empty()),
    };
    let kind = match kind {
        "private" => MountPropagationFlags::PRIVATE,
        "shared" => MountPropagationFlags::SHARED,
        "slave" => MountPropagationFlags::DOWNSTREAM,
        "unbindable" => MountPropagationFlags::UNBINDABLE,
        _ => return None,
    };
    Some(kind | recursive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_propagation_and_data_are_told_apart() {
        let options = MountOptions::parse("defaults,ro,nosuid,size=10m,rslave,uid=1000,rw");
        assert_eq!(options.flags, MountFlags::NOSUID);
        assert_eq!(options.propagation, Some(MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC));
        assert_eq!(options.data, "size=10m,uid=1000");
        let bind = MountOptions::parse("rbind");
        assert_eq!((bind.flags, bind.data.as_str()), (MountFlags::BIND | MountFlags::REC, ""));
        assert_eq!(MountOptions::parse("").propagation, None);
    }
}
