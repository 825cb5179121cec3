//! Privileges: capabilities, `SecurityOpt`, devices, masked paths.

use super::{Refused, nonempty};
use crate::wire::host_config::{DeviceMapping, HostConfig};
use spec::{Device, Seccomp, Security};

pub(super) fn security(host: &HostConfig) -> Result<Security, Refused> {
    let mut security = Security {
        privileged: host.privileged,
        cap_add: capabilities(host.cap_add.as_deref()),
        cap_drop: capabilities(host.cap_drop.as_deref()),
        masked_paths: host.masked_paths.clone(),
        readonly_paths: host.readonly_paths.clone(),
        devices: host.devices.iter().map(device).collect::<Result<_, _>>()?,
        device_cgroup_rules: host.device_cgroup_rules.clone().unwrap_or_default(),
        sysctls: host.sysctls.clone(),
        ..Security::default()
    };
    for option in host.security_opt.iter().flatten() {
        if !apply(option, &mut security) {
            // Docker's number: 1 where there is no value, else 2.
            let number = if option.contains(['=', ':']) { 2 } else { 1 };
            return Err(Refused::SecurityOption { number, value: option.clone() });
        }
    }
    Ok(security)
}

/// `net_admin`, `CAP_NET_ADMIN`, `all`: upper case with the prefix.
fn capabilities(names: Option<&[String]>) -> Vec<String> {
    let canonical = |name: &String| {
        let upper = name.to_ascii_uppercase();
        if upper == "ALL" || upper.starts_with("CAP_") { upper } else { format!("CAP_{upper}") }
    };
    names.unwrap_or_default().iter().map(canonical).collect()
}

fn device(wire: &DeviceMapping) -> Result<Device, Refused> {
    let permissions = if wire.cgroup_permissions.is_empty() { "rwm" } else { &wire.cgroup_permissions };
    let valid = permissions.len() <= 3 && permissions.chars().all(|c| matches!(c, 'r' | 'w' | 'm'));
    if !valid {
        return Err(Refused::Device { path: wire.path_on_host.clone(), permissions: permissions.to_owned() });
    }
    let container =
        if wire.path_in_container.is_empty() { &wire.path_on_host } else { &wire.path_in_container };
    Ok(Device {
        host: wire.path_on_host.clone(),
        container: container.clone(),
        permissions: permissions.to_owned(),
    })
}

/// One security option; false: there is no such option. `name:value` is an old way to write `name=value`.
fn apply(option: &str, security: &mut Security) -> bool {
    if option == "no-new-privileges" {
        security.no_new_privileges = true;
        return true;
    }
    let Some((name, value)) = option.split_once('=').or_else(|| option.split_once(':')) else { return false };
    match name {
        "no-new-privileges" => match value {
            "true" | "1" => security.no_new_privileges = true,
            "false" | "0" => security.no_new_privileges = false,
            _ => return false,
        },
        "seccomp" => {
            security.seccomp = match value {
                "unconfined" => Seccomp::Unconfined,
                "builtin" => Seccomp::Default,
                profile => Seccomp::Profile(profile.to_owned()),
            }
        }
        "apparmor" => security.apparmor = Some(value.to_owned()),
        "label" => security.selinux.push(value.to_owned()),
        _ => return false,
    }
    true
}

pub(super) fn into_host(security: &Security, host: &mut HostConfig) {
    host.privileged = security.privileged;
    host.cap_add = nonempty(&security.cap_add);
    host.cap_drop = nonempty(&security.cap_drop);
    host.security_opt = nonempty(&security_options(security));
    host.devices = security
        .devices
        .iter()
        .map(|device| DeviceMapping {
            path_on_host: device.host.clone(),
            path_in_container: device.container.clone(),
            cgroup_permissions: device.permissions.clone(),
        })
        .collect();
    host.device_cgroup_rules = nonempty(&security.device_cgroup_rules);
    host.sysctls = security.sysctls.clone();
    if !security.privileged {
        host.masked_paths = security.masked_paths.clone();
        host.readonly_paths = security.readonly_paths.clone();
    }
}

fn security_options(security: &Security) -> Vec<String> {
    let mut options = Vec::new();
    if security.no_new_privileges {
        options.push("no-new-privileges".to_owned());
    }
    match &security.seccomp {
        Seccomp::Default => {}
        Seccomp::Unconfined => options.push("seccomp=unconfined".to_owned()),
        Seccomp::Profile(profile) => options.push(format!("seccomp={profile}")),
    }
    options.extend(security.apparmor.iter().map(|profile| format!("apparmor={profile}")));
    options.extend(security.selinux.iter().map(|label| format!("label={label}")));
    options
}
