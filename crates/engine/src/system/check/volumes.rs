//! Volumes: what their service finds, by the table's names.

use super::disagreement::{Disagreement, Subject};
use super::table::Kind;
use crate::Services;
use ::volumes::Audit;
use errors::Result;
use std::sync::Arc;

/// Every disagreement about volumes.
pub(super) fn compare(audit: Audit) -> Vec<Disagreement> {
    let Audit { unrecorded, without_directory, mounted, unmounted } = audit;
    let lists = [
        (Kind::VolumeWithoutRecord, unrecorded),
        (Kind::VolumeWithoutDirectory, without_directory),
        (Kind::MountWithoutContainer, mounted),
        (Kind::VolumeNotMounted, unmounted),
    ];
    let told = lists.into_iter().flat_map(|(kind, names)| {
        names.into_iter().map(move |name| Disagreement::new(kind, name.clone(), Subject::Volume(name)))
    });
    told.collect()
}

/// Mends one.
///
/// # Errors
/// The disk's, the store's, the kernel's.
pub(super) async fn repair(services: &Arc<Services>, kind: Kind, name: &str) -> Result<()> {
    match kind {
        Kind::VolumeWithoutRecord => services.volumes.readmit(name).await?,
        Kind::VolumeWithoutDirectory => services.volumes.make_directory(name).await?,
        _ => services.volumes.set_mount(name).await?,
    }
    Ok(())
}
