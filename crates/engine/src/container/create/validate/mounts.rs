//! Whether the mounts that a client asks for can be.

use crate::container::invalid;
use errors::Result;
use spec::{ContainerSpec, MountKind};
use std::collections::BTreeSet;

pub(super) fn check(spec: &ContainerSpec) -> Result<()> {
    let mut targets = BTreeSet::new();
    for mount in &spec.filesystem.mounts {
        let target = mount.target.trim_end_matches('/');
        if !mount.target.starts_with('/') {
            return Err(invalid(format!(
                "invalid mount config: mount path must be absolute: '{}'",
                mount.target
            )));
        }
        if target.is_empty() {
            return Err(invalid("invalid specification: destination can't be '/'"));
        }
        if !targets.insert(target.to_owned()) {
            return Err(invalid(format!("Duplicate mount point: {}", mount.target)));
        }
        if let MountKind::Tmpfs(tmpfs) = &mount.kind {
            runtime::bundle::tmpfs_mount(&mount.target, tmpfs, mount.read_only)?;
        }
        if let MountKind::Bind(bind) = &mount.kind
            && !bind.source.starts_with('/')
        {
            return Err(invalid(format!(
                "invalid mount config for type \"bind\": invalid mount path: '{}' mount path must be absolute",
                bind.source
            )));
        }
    }
    Ok(())
}
