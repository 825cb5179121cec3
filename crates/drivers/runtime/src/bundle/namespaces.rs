//! Which namespaces a container gets, new or another's.

use super::resolved::{NetworkNamespace, Resolved};
use oci_spec::runtime::{LinuxNamespace, LinuxNamespaceBuilder, LinuxNamespaceType as Type};
use spec::{ContainerSpec, IpcMode, JoinMode};
use std::path::Path;

/// In Docker's order; those of the host are left out.
pub(super) fn of_container(spec: &ContainerSpec, resolved: &Resolved) -> Vec<LinuxNamespace> {
    let wishes = &spec.namespaces;
    let mut list = vec![namespace(Type::Mount, None)];
    match &resolved.network {
        NetworkNamespace::Host => {}
        NetworkNamespace::New => list.push(namespace(Type::Network, None)),
        NetworkNamespace::Path(path) => list.push(namespace(Type::Network, Some(path))),
    }
    if wishes.uts != JoinMode::Host {
        list.push(namespace(Type::Uts, resolved.uts_namespace.as_deref()));
    }
    if wishes.pid != JoinMode::Host {
        list.push(namespace(Type::Pid, resolved.pid_namespace.as_deref()));
    }
    if wishes.ipc != IpcMode::Host {
        list.push(namespace(Type::Ipc, resolved.ipc_namespace.as_deref()));
    }
    if resolved.id_maps.is_some() || resolved.user_namespace.is_some() {
        list.push(namespace(Type::User, resolved.user_namespace.as_deref()));
    }
    if resolved.private_cgroup {
        list.push(namespace(Type::Cgroup, None));
    }
    list
}

fn namespace(typ: Type, path: Option<&Path>) -> LinuxNamespace {
    let mut namespace = LinuxNamespaceBuilder::default().typ(typ).build().expect(super::ALL_SET);
    namespace.set_path(path.map(Path::to_path_buf));
    namespace
}
