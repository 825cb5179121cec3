//! Mounts in the directories of containers that do not run. Those of volumes and of namespaces are their services' to tell.

use super::containers;
use super::disagreement::{Disagreement, Subject};
use super::table::Kind;
use crate::Services;
use errors::{Class, Error, Result};
use ids::ContainerId;
use rustix::mount::{UnmountFlags, unmount};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use sys::mountinfo;

/// Mount points below the directories of containers, and whose each is.
pub(super) async fn gather(services: &Arc<Services>) -> Vec<(PathBuf, ContainerId)> {
    let settings = services.settings();
    let runtime = &settings.runtime;
    let parents = [&runtime.state_dir, &runtime.root_dir].map(|parent| parent.join("containers"));
    offload::blocking(move || {
        let table = mountinfo::read().unwrap_or_default();
        let points = mountinfo::lines(&table).map(|fields| mountinfo::point(&fields));
        let owned =
            |point: PathBuf| parents.iter().find_map(|parent| owner(parent, &point)).map(|id| (point, id));
        points.filter_map(owned).collect()
    })
    .await
}

fn owner(parent: &Path, point: &Path) -> Option<ContainerId> {
    let below = point.strip_prefix(parent).ok()?;
    below.components().next()?.as_os_str().to_str()?.parse().ok()
}

/// Those of containers that do not run, and that nobody is at work on.
pub(super) fn compare(mounts: &[(PathBuf, ContainerId)], facts: &containers::Facts) -> Vec<Disagreement> {
    let rightly = |id: &ContainerId| {
        let one = facts.recorded.get(id);
        facts.in_progress.contains(id) || one.is_some_and(|one| one.live || one.busy)
    };
    // What runs without a record, since that was replaced by an older one, has its mounts rightly too.
    let strays = mounts.iter().filter(|(_, id)| !rightly(id) && !facts.store_older);
    let strays = strays.map(|(point, _)| {
        Disagreement::new(
            Kind::MountWithoutContainer,
            point.display().to_string(),
            Subject::Mount(point.clone()),
        )
    });
    strays.collect()
}

/// Takes a mount away, and what is mounted in it.
///
/// # Errors
/// What the kernel says.
pub(super) async fn repair(point: &Path) -> Result<()> {
    let asked = point.to_owned();
    let unmounted =
        offload::blocking(move || unmount(&asked, UnmountFlags::DETACH | UnmountFlags::NOFOLLOW)).await;
    match unmounted {
        // It has gone with one above it.
        Ok(()) | Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOENT) => Ok(()),
        Err(errno) => {
            let error = Error::wrap(Class::Internal, std::io::Error::from(errno));
            Err(error.context(format!("unmount {}", point.display())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_belongs_to_the_container_whose_directory_it_is_in() {
        let id = ContainerId::from_bytes([7; 32]);
        let parent = Path::new("/run/a b/containers");
        assert_eq!(owner(parent, &parent.join(id.as_str()).join("rootfs")), Some(id));
        assert_eq!(owner(parent, parent), None);
        assert_eq!(owner(parent, &parent.join("notes/x")), None);
    }
}
