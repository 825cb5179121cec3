//! `system check`: what is wrong in the store of images, and mending it.

mod served;

use crate::Services;
use errors::Result;
use images::{Report, Surroundings};
use registry::Purpose;
use std::sync::Arc;

/// Looks at every blob, layer and record, and with `repair` mends what can be mended: from what is here, and from the registries
/// that images came from, which are asked as by anybody. Then the same for the registry that this engine serves, if it does.
///
/// # Errors
/// Those of reading directories; what is wrong with a thing in the store is in the report.
pub async fn check(services: &Arc<Services>, repair: bool) -> Result<Report> {
    let repository = |name: &oci::Reference| services.registries().repository(name, None, Purpose::Pull);
    let is_running = |key: &str| {
        let container =
            services.containers.all().into_iter().find(|container| container.id().as_str() == key);
        container.is_some_and(|container| container.record().state.is_live())
    };
    let mounted = || crate::image::mounted(services);
    let surroundings = Surroundings { repository: &repository, is_running: &is_running, mounted: &mounted };
    let mut report = services.images.check(repair.then_some(&surroundings)).await?;
    if let Some(served) = &services.served {
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
    Ok(report)
}
