//! What the records, the kernel and the disk can say differently: each by a name, in a sentence, with its repair.
//!
//! `docs/repair.md` shows this table, and a test compares them.

/// A way in which records, kernel and disk disagree, in the order in which they are repaired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    ContainerDead,
    ShimLost,
    MountWithoutContainer,
    ProcessWithoutContainer,
    CgroupWithoutContainer,
    StoreOlder,
    BundleWithoutContainer,
    ContainerHalfRemoved,
    ContainerWithoutLayer,
    ContainerWithoutDirectory,
    VolumeWithoutRecord,
    VolumeWithoutDirectory,
    VolumeNotMounted,
    BridgeWithoutNetwork,
    BridgeMissing,
    DeviceWithoutEndpoint,
    EndpointWithoutDevice,
    AddressWithoutEndpoint,
    PacketFilterChanged,
    PortMissing,
    PortWithoutOwner,
    NamespaceWithoutOwner,
    NameRecordWrong,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Row {
    /// What it is called in reports and in the log.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) means: &'static str,
    /// What a repair does.
    pub(crate) repair: &'static str,
    /// Whether the engine does so without being asked: nothing can be lost by it.
    pub(crate) by_itself: bool,
}

const fn row(name: &'static str, by_itself: bool, means: &'static str, repair: &'static str) -> Row {
    Row { name, means, repair, by_itself }
}

impl Kind {
    /// Whether it may be about what a container has that the store does not know, because it is older than the disk.
    pub(crate) fn may_be_strangers(self) -> bool {
        matches!(
            self,
            Self::MountWithoutContainer
                | Self::CgroupWithoutContainer
                | Self::BundleWithoutContainer
                | Self::ContainerHalfRemoved
                | Self::VolumeWithoutRecord
                | Self::BridgeWithoutNetwork
                | Self::DeviceWithoutEndpoint
                | Self::PortWithoutOwner
                | Self::NamespaceWithoutOwner
                | Self::NameRecordWrong
        )
    }

    pub(crate) const fn row(self) -> Row {
        match self {
            Self::ContainerDead => row(
                "container-dead",
                true,
                "is recorded as running, and its process has ended",
                "ends its shim, which does not tell of it, and records the end",
            ),
            Self::ShimLost => row(
                "shim-lost",
                true,
                "runs without a shim: nobody holds its streams or would see its end",
                "ends it and records that, after which its restart policy has its say",
            ),
            Self::MountWithoutContainer => row(
                "mount-without-container",
                true,
                "is a mount of a container that does not run, or of a volume that none uses",
                "takes the mount away; what is mounted is not touched",
            ),
            Self::ProcessWithoutContainer => row(
                "process-without-container",
                false,
                "is a container's cgroup with processes, and no such container is recorded as running",
                "kills the processes and removes the cgroup",
            ),
            Self::CgroupWithoutContainer => row(
                "cgroup-without-container",
                true,
                "is an empty cgroup of no running container",
                "removes the cgroup",
            ),
            Self::StoreOlder => row(
                "store-older",
                false,
                "is a container that the store does not know, which is older than the disk, as after the restoring of a backup",
                "ends the container and removes all that is left of it",
            ),
            Self::BundleWithoutContainer => row(
                "bundle-without-container",
                true,
                "is what a run of a container left, and that container does not run",
                "ends what still lives of it and removes the directory",
            ),
            Self::ContainerHalfRemoved => row(
                "container-half-removed",
                true,
                "is the directory or the writable layer of no container: one that was half made or half removed",
                "removes them",
            ),
            Self::ContainerWithoutLayer => row(
                "container-without-layer",
                false,
                "is recorded, and its writable layer is gone",
                "makes an empty layer on its image; what the container wrote is lost",
            ),
            Self::ContainerWithoutDirectory => row(
                "container-without-directory",
                true,
                "is recorded, and its directory is gone, with the log",
                "makes the directory anew",
            ),
            Self::VolumeWithoutRecord => row(
                "volume-without-record",
                true,
                "is a volume's directory, and no such volume is recorded",
                "records a volume if there is content, and removes the directory if there is none",
            ),
            Self::VolumeWithoutDirectory => row(
                "volume-without-directory",
                true,
                "is a recorded volume whose directory is gone",
                "makes an empty directory",
            ),
            Self::VolumeNotMounted => row(
                "volume-not-mounted",
                true,
                "is a volume that a container runs with, and what its options mount is not mounted",
                "mounts it for those who start from now on",
            ),
            Self::BridgeWithoutNetwork => row(
                networks::flaws::BRIDGE_STRAY,
                true,
                "is a device with this engine's mark, and no network has it",
                "removes the device",
            ),
            Self::BridgeMissing => row(
                networks::flaws::BRIDGE_MISSING,
                true,
                "is a network whose bridge is gone, is down or lacks its address",
                "makes the bridge and brings the containers' devices back to it",
            ),
            Self::DeviceWithoutEndpoint => row(
                networks::flaws::DEVICE_STRAY,
                true,
                "is a device on a network's bridge, and no container has it",
                "removes the device",
            ),
            Self::EndpointWithoutDevice => row(
                "endpoint-without-device",
                true,
                "is a running container's attachment whose device is gone, or off its bridge",
                "attaches the container again, with the same addresses and ports",
            ),
            Self::AddressWithoutEndpoint => row(
                "address-without-endpoint",
                true,
                "is an address that is kept for no container",
                "gives it back",
            ),
            Self::PacketFilterChanged => row(
                networks::flaws::FILTER_OTHER,
                true,
                "is the engine's table, and it is gone or somebody has changed it",
                "writes the table again",
            ),
            Self::PortMissing => row(
                "port-missing",
                true,
                "is the engine's table, and published ports are not in it",
                "writes the table again",
            ),
            Self::PortWithoutOwner => row(
                "port-without-owner",
                true,
                "is the engine's table, and it leads ports that no container publishes",
                "writes the table again",
            ),
            Self::NamespaceWithoutOwner => row(
                "namespace-without-owner",
                true,
                "is a file that keeps a network namespace for no attachment",
                "lets the namespace go",
            ),
            Self::NameRecordWrong => row(
                "name-record-wrong",
                true,
                "is what netd is told of a container or network, and it is missing, wrong or of none",
                "writes the record again, or removes it",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::fmt::Write;

    impl Kind {
        const ALL: [Self; 23] = [
            Self::ContainerDead,
            Self::ShimLost,
            Self::MountWithoutContainer,
            Self::ProcessWithoutContainer,
            Self::CgroupWithoutContainer,
            Self::StoreOlder,
            Self::BundleWithoutContainer,
            Self::ContainerHalfRemoved,
            Self::ContainerWithoutLayer,
            Self::ContainerWithoutDirectory,
            Self::VolumeWithoutRecord,
            Self::VolumeWithoutDirectory,
            Self::VolumeNotMounted,
            Self::BridgeWithoutNetwork,
            Self::BridgeMissing,
            Self::DeviceWithoutEndpoint,
            Self::EndpointWithoutDevice,
            Self::AddressWithoutEndpoint,
            Self::PacketFilterChanged,
            Self::PortMissing,
            Self::PortWithoutOwner,
            Self::NamespaceWithoutOwner,
            Self::NameRecordWrong,
        ];
    }

    #[test]
    fn all_are_listed_in_their_order() {
        let names: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.row().name).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        assert!(Kind::ALL.is_sorted());
        assert_eq!(Kind::ALL.last(), Some(&Kind::NameRecordWrong));
    }

    #[test]
    fn the_page_shows_this_table() {
        let page = include_str!("../../../../../docs/repair.md");
        let mut table = String::new();
        for Row { name, means, repair, by_itself } in Kind::ALL.map(Kind::row) {
            let when = if by_itself { "by itself" } else { "`--repair`" };
            let _ = writeln!(table, "| `{name}` | {means} | {repair} | {when} |");
        }
        assert!(page.contains(&table), "docs/repair.md should have:\n{table}");
    }
}
