//! Resource limits, set by the container's process itself once it needs little more: libcontainer sets them before its
//! own work, which then fails for want of descriptors.

use libcontainer::oci_spec::runtime::{PosixRlimit, PosixRlimitType};
use rustix::process::{Resource, Rlimit, setrlimit};

/// Sets them for this process and what it executes. The message says which one was refused.
pub(super) fn apply(limits: &[PosixRlimit]) -> Result<(), String> {
    for limit in limits {
        set(limit).map_err(|error| {
            let error = std::io::Error::from(error);
            format!("error setting rlimit {}: {}", limit.typ(), super::executor::words(&error))
        })?;
    }
    Ok(())
}

fn set(limit: &PosixRlimit) -> rustix::io::Result<()> {
    let value = |value| (value != u64::MAX).then_some(value);
    setrlimit(resource(limit.typ()), Rlimit { current: value(limit.soft()), maximum: value(limit.hard()) })
}

fn resource(kind: PosixRlimitType) -> Resource {
    match kind {
        PosixRlimitType::RlimitAs => Resource::As,
        PosixRlimitType::RlimitCore => Resource::Core,
        PosixRlimitType::RlimitCpu => Resource::Cpu,
        PosixRlimitType::RlimitData => Resource::Data,
        PosixRlimitType::RlimitFsize => Resource::Fsize,
        PosixRlimitType::RlimitLocks => Resource::Locks,
        PosixRlimitType::RlimitMemlock => Resource::Memlock,
        PosixRlimitType::RlimitMsgqueue => Resource::Msgqueue,
        PosixRlimitType::RlimitNice => Resource::Nice,
        PosixRlimitType::RlimitNofile => Resource::Nofile,
        PosixRlimitType::RlimitNproc => Resource::Nproc,
        PosixRlimitType::RlimitRss => Resource::Rss,
        PosixRlimitType::RlimitRtprio => Resource::Rtprio,
        PosixRlimitType::RlimitRttime => Resource::Rttime,
        PosixRlimitType::RlimitSigpending => Resource::Sigpending,
        PosixRlimitType::RlimitStack => Resource::Stack,
    }
}
