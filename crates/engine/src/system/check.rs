//! `system check`: what is wrong in the store of images, and what records, kernel and disk say differently; and mending it.
//!
//! The disagreements are in `table.rs`. One file a noun: `gather` looks facts up, `compare` concludes, `repair` mends; `state.rs` puts
//! them together, `watch.rs` does so again and again, and the start of an engine removes what [`strays`] finds.

mod containers;
mod disagreement;
mod mounts;
mod names;
mod networks;
mod served;
mod state;
mod table;
mod volumes;
mod watch;

pub(super) use watch::watch;

use crate::Services;
use errors::Result;
use ids::ContainerId;
use images::{Report, Surroundings};
use registry::Purpose;
use std::sync::Arc;
use table::Kind;

/// What a store is called that was replaced by an older one.
pub(super) const STORE_OLDER: &str = Kind::StoreOlder.row().name;

/// What a container without a shim is called.
pub(crate) const SHIM_LOST: &str = Kind::ShimLost.row().name;
/// What a container is called whose end was not recorded.
pub(crate) const CONTAINER_DEAD: &str = Kind::ContainerDead.row().name;

/// What a check came to.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// The store of images, and all findings.
    pub store: Report,
    /// Containers that were compared with the kernel and the disk.
    pub containers: usize,
    /// Networks.
    pub networks: usize,
    /// Volumes.
    pub volumes: usize,
}

/// What is there of containers without a record, by the disagreement's name. For the start, when nobody is at work yet.
///
/// # Errors
/// Those of reading directories.
pub(super) async fn strays(services: &Arc<Services>) -> Result<Vec<(&'static str, ContainerId)>> {
    let strays = containers::strays(services).await?;
    Ok(strays.into_iter().map(|(kind, id)| (kind.row().name, id)).collect())
}

/// Compares records, kernel and disk; then looks at every blob, layer and record, unless it is to be `quick`, and with `repair` mends what can be mended: from what is here, and from the registries
/// that images came from, which are asked as by anybody. Then the same for the registry that this engine serves, if it does.
///
/// # Errors
/// Those of reading directories; what is wrong with a thing in the store is in the report.
pub async fn check(services: &Arc<Services>, repair: bool, quick: bool) -> Result<Checked> {
    let mut findings = state::check(services, repair).await?;
    let repository = |name: &oci::Reference| services.registries().repository(name, None, Purpose::Pull);
    let is_running = |key: &str| {
        let container = key.parse().ok().and_then(|id| services.containers.get(&id));
        container.is_some_and(|container| container.state().is_live())
    };
    let mounted = || crate::image::mounted(services);
    let surroundings = Surroundings { repository: &repository, is_running: &is_running, mounted: &mounted };
    let mut report = match quick {
        true => Report::default(),
        false => services.images.check(repair.then_some(&surroundings)).await?,
    };
    if let Some(served) = services.served.as_ref().filter(|_| !quick) {
        let found = served.run(repair).await?;
        report.blobs += found.blobs;
        report.bytes += found.bytes;
        report.findings.extend(found.flaws.into_iter().map(|flaw| served::finding(flaw, served.is_mirror)));
    }
    for finding in &report.findings {
        tracing::warn!(
            kind = finding.kind,
            thing = finding.thing,
            problem = finding.problem,
            repaired = finding.repaired,
            "the store of images"
        );
    }
    findings.append(&mut report.findings);
    report.findings = findings;
    Ok(Checked {
        store: report,
        containers: services.containers.count(),
        networks: services.networks.list().len(),
        volumes: services.volumes.list(&Default::default()).await?.len(),
    })
}
