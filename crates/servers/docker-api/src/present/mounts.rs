//! What is mounted in a container.

use crate::wire::mount::MountPoint;
use containers::{MountPoint as Mounted, MountPointKind};

/// `Mounts` of `inspect` and of lists.
pub(crate) fn mount_point(mounted: &Mounted) -> MountPoint {
    let (kind, name, driver, propagation) = match &mounted.kind {
        MountPointKind::Bind => {
            let propagation = mounted.propagation.map_or("rprivate", |mode| mode.as_str());
            ("bind", String::new(), String::new(), propagation)
        }
        MountPointKind::Volume { name, driver, .. } => ("volume", name.clone(), driver.clone(), ""),
        MountPointKind::Tmpfs => ("tmpfs", String::new(), String::new(), ""),
    };
    MountPoint {
        r#type: kind,
        name,
        source: mounted.source.clone(),
        destination: mounted.target.clone(),
        driver,
        mode: mounted.mode.clone(),
        rw: !mounted.read_only,
        propagation,
    }
}
