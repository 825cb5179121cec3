//! Kernel parameters that a container wants: whether they are its own, and whether this kernel has them.

use super::invalid;
use errors::{Class, Error, Result};
use spec::{ContainerSpec, IpcMode, NetworkMode, SysctlNamespace};
use std::path::{Path, PathBuf};

/// Refuses parameters that are the host's: of no namespace, or of one that the container shares with it.
///
/// # Errors
/// `Invalid` names the first.
pub(super) fn check_namespaces(spec: &ContainerSpec) -> Result<()> {
    for name in spec.security.sysctls.keys() {
        let shared = match SysctlNamespace::of(name) {
            Some(SysctlNamespace::Network) => spec.network.mode == NetworkMode::Host,
            Some(SysctlNamespace::Ipc) => spec.namespaces.ipc == IpcMode::Host,
            None => {
                return Err(invalid(format!("sysctl '{name}' is not whitelisted")).hint(
                    "Only net.*, fs.mqueue.* and the IPC parameters belong to a container's namespaces",
                ));
            }
        };
        if shared {
            return Err(invalid(format!("sysctl '{name}' is not allowed in the host's namespace")));
        }
    }
    Ok(())
}

/// Refuses parameters that this kernel does not have.
///
/// # Errors
/// `Invalid` names the first.
pub(super) fn check_kernel(spec: &ContainerSpec) -> Result<()> {
    let missing = |name: &&String| {
        // Those of an interface exist where the interface does: in the container.
        let of_interface = name.contains(".conf.") || name.contains(".neigh.");
        !of_interface && !path(name).exists()
    };
    match spec.security.sysctls.keys().find(missing) {
        Some(name) => Err(Error::new(
            Class::Invalid,
            format!("this kernel has no sysctl {name}: {}: no such file or directory", path(name).display()),
        )),
        None => Ok(()),
    }
}

fn path(name: &str) -> PathBuf {
    Path::new("/proc/sys").join(name.replace('.', "/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_this_kernel_lacks_is_named() {
        let mut spec = ContainerSpec::default();
        spec.security.sysctls.insert("net.ipv4.ip_forward".into(), "1".into());
        spec.security.sysctls.insert("net.ipv4.conf.eth0.forwarding".into(), "1".into());
        check_kernel(&spec).unwrap();
        spec.security.sysctls.insert("net.nope.nope".into(), "1".into());
        let error = check_kernel(&spec).unwrap_err().to_string();
        assert!(error.contains("net.nope.nope") && error.contains("no such file or directory"), "{error}");
    }
}
