//! Which capabilities a container's processes may have.

use super::error::BundleError;
use super::host::available_capabilities;
use Capability as C;
use oci_spec::runtime::{Capability, LinuxCapabilities, LinuxCapabilitiesBuilder};
use spec::Security;
use std::collections::HashSet;
use std::str::FromStr;

/// What Docker gives a container that asks for nothing.
pub(super) const DEFAULT: [Capability; 14] = [
    C::Chown,
    C::DacOverride,
    C::Fsetid,
    C::Fowner,
    C::Mknod,
    C::NetRaw,
    C::Setgid,
    C::Setuid,
    C::Setfcap,
    C::Setpcap,
    C::NetBindService,
    C::SysChroot,
    C::Kill,
    C::AuditWrite,
];

/// By the number of `capability.h`.
const BY_NUMBER: [Capability; 41] = [
    C::Chown,
    C::DacOverride,
    C::DacReadSearch,
    C::Fowner,
    C::Fsetid,
    C::Kill,
    C::Setgid,
    C::Setuid,
    C::Setpcap,
    C::LinuxImmutable,
    C::NetBindService,
    C::NetBroadcast,
    C::NetAdmin,
    C::NetRaw,
    C::IpcLock,
    C::IpcOwner,
    C::SysModule,
    C::SysRawio,
    C::SysChroot,
    C::SysPtrace,
    C::SysPacct,
    C::SysAdmin,
    C::SysBoot,
    C::SysNice,
    C::SysResource,
    C::SysTime,
    C::SysTtyConfig,
    C::Mknod,
    C::Lease,
    C::AuditWrite,
    C::AuditControl,
    C::Setfcap,
    C::MacOverride,
    C::MacAdmin,
    C::Syslog,
    C::WakeAlarm,
    C::BlockSuspend,
    C::AuditRead,
    C::Perfmon,
    C::Bpf,
    C::CheckpointRestore,
];

/// The capability with this number in `capability.h`.
pub(super) fn from_number(number: usize) -> Option<Capability> {
    BY_NUMBER.get(number).copied()
}

/// The canonical name of what a client wrote (`net_admin`, `CAP_NET_ADMIN`, `ALL`), or an error if it is none.
pub fn normalize_capability(name: &str) -> Result<String, BundleError> {
    if name.eq_ignore_ascii_case(ALL) {
        return Ok(ALL.to_owned());
    }
    parse(name, "CapAdd").map(capability_name)
}

/// `CAP_NET_ADMIN` and the like.
pub fn capability_name(capability: Capability) -> String {
    format!("CAP_{capability}")
}

const ALL: &str = "ALL";

fn parse(name: &str, list: &'static str) -> Result<Capability, BundleError> {
    let upper = name.to_ascii_uppercase();
    let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
    Capability::from_str(bare)
        .map_err(|_| BundleError::UnknownCapability { list, name: format!("CAP_{bare}") })
}

/// The bounding set of a container: Docker's default, changed by what it asks for.
///
/// With `ALL` among the added ones, all but the dropped; with `ALL` among the dropped, only the added.
pub(super) fn of_container(security: &Security) -> Result<HashSet<Capability>, BundleError> {
    if security.privileged {
        return Ok(available_capabilities().clone());
    }
    let (add_all, added) = parse_list(&security.cap_add, "CapAdd")?;
    let (drop_all, dropped) = parse_list(&security.cap_drop, "CapDrop")?;
    let available = available_capabilities();
    if let Some(missing) = added.iter().find(|capability| !available.contains(capability)) {
        return Err(BundleError::CapabilityUnavailable { name: capability_name(*missing) });
    }
    Ok(if add_all {
        available.difference(&dropped).copied().collect()
    } else if drop_all {
        added
    } else {
        // Of the default ones, those that this process lacks itself are left out without a word.
        let kept = DEFAULT.into_iter().filter(|c| available.contains(c) && !dropped.contains(c));
        kept.chain(added.iter().copied()).collect()
    })
}

/// Whether `ALL` is in the list, and the others.
fn parse_list(names: &[String], list: &'static str) -> Result<(bool, HashSet<Capability>), BundleError> {
    let all = names.iter().any(|name| name.eq_ignore_ascii_case(ALL));
    let others = names.iter().filter(|name| !name.eq_ignore_ascii_case(ALL)).map(|name| parse(name, list));
    Ok((all, others.collect::<Result<_, _>>()?))
}

/// The sets of a process with this bounding set. As in Docker, permitted and effective are the same for every user:
/// the kernel clears both when a process that is not root executes its program, since ambient is empty.
pub(super) fn sets(bounding: &HashSet<Capability>) -> LinuxCapabilities {
    LinuxCapabilitiesBuilder::default()
        .bounding(bounding.clone())
        .permitted(bounding.clone())
        .effective(bounding.clone())
        .inheritable(HashSet::new())
        .ambient(HashSet::new())
        .build()
        .expect(super::ALL_SET)
}
