//! Which namespaces are new, shared or the host's: `host`, `private`, `container:NAME`.

use super::Refused;
use crate::wire::host_config::HostConfig;
use spec::{IpcMode, JoinMode, Namespaces};

pub(super) fn namespaces(host: &HostConfig) -> Result<Namespaces, Refused> {
    Ok(Namespaces {
        pid: pid(&host.pid_mode)?,
        ipc: ipc(&host.ipc_mode)?,
        uts: match host.uts_mode.as_str() {
            "" => JoinMode::Private,
            "host" => JoinMode::Host,
            other => return Err(refused("UTS mode", other)),
        },
        cgroup: match host.cgroupns_mode.as_str() {
            "" => None,
            "private" => Some(JoinMode::Private),
            "host" => Some(JoinMode::Host),
            other => return Err(refused("cgroup namespace mode", other)),
        },
        user_host: match host.userns_mode.as_str() {
            "" => false,
            "host" => true,
            other => return Err(refused("user namespace mode", other)),
        },
    })
}

fn pid(text: &str) -> Result<JoinMode, Refused> {
    match text {
        "" => Ok(JoinMode::Private),
        "host" => Ok(JoinMode::Host),
        other => container(other).map(JoinMode::Container).ok_or_else(|| refused("PID mode", other)),
    }
}

fn ipc(text: &str) -> Result<IpcMode, Refused> {
    match text {
        "" | "private" => Ok(IpcMode::Private),
        "shareable" => Ok(IpcMode::Shareable),
        "none" => Ok(IpcMode::None),
        "host" => Ok(IpcMode::Host),
        other => container(other).map(IpcMode::Container).ok_or_else(|| refused("IPC mode", other)),
    }
}

/// The name in `container:NAME`.
pub(super) fn container(text: &str) -> Option<String> {
    text.strip_prefix("container:").filter(|name| !name.is_empty()).map(str::to_owned)
}

fn refused(what: &'static str, value: &str) -> Refused {
    Refused::Mode { what, value: value.to_owned() }
}

pub(super) fn into_host(namespaces: &Namespaces, cgroup_v2: bool, host: &mut HostConfig) {
    host.pid_mode = match &namespaces.pid {
        JoinMode::Private => String::new(),
        JoinMode::Host => "host".into(),
        JoinMode::Container(name) => format!("container:{name}"),
    };
    host.ipc_mode = match &namespaces.ipc {
        IpcMode::Private => "private".into(),
        IpcMode::Shareable => "shareable".into(),
        IpcMode::None => "none".into(),
        IpcMode::Host => "host".into(),
        IpcMode::Container(name) => format!("container:{name}"),
    };
    host.uts_mode = if namespaces.uts == JoinMode::Host { "host".into() } else { String::new() };
    host.cgroupns_mode = match &namespaces.cgroup {
        Some(JoinMode::Host) => "host".into(),
        None if !cgroup_v2 => "host".into(),
        _ => "private".into(),
    };
    host.userns_mode = if namespaces.user_host { "host".into() } else { String::new() };
}
