//! `system check`: what is wrong in the store of images, and mending it.

use crate::Services;
use errors::Result;
use images::{Report, Surroundings};
use registry::Purpose;
use std::sync::Arc;

/// Looks at every blob, layer and record, and with `repair` mends what can be mended: from what is here, and from the registries
/// that images came from, which are asked as by anybody.
///
/// # Errors
/// Those of reading directories; what is wrong with a thing in the store is in the report.
pub async fn check(services: &Arc<Services>, repair: bool) -> Result<Report> {
    let repository = |name: &oci::Reference| services.registries.repository(name, None, Purpose::Pull);
    let is_running = |key: &str| {
        let container =
            services.containers.all().into_iter().find(|container| container.id().as_str() == key);
        container.is_some_and(|container| container.record().state.is_live())
    };
    let mounted = || crate::image::mounted(services);
    let surroundings = Surroundings { repository: &repository, is_running: &is_running, mounted: &mounted };
    let report = services.images.check(repair.then_some(&surroundings)).await?;
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
