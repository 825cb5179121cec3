//! Volumes.

use crate::http::timestamp;
use crate::wire::volume::{UsageData, Volume};
use engine::Services;

/// A volume; `usage`, its bytes and the number of containers that have it, only in `system df`.
pub(crate) fn volume(services: &Services, found: &volumes::Volume, usage: Option<(u64, usize)>) -> Volume {
    Volume {
        created_at: created(found.created),
        driver: found.driver.clone(),
        labels: (!found.labels.is_empty()).then(|| found.labels.clone()),
        mountpoint: services.volumes.path(&found.name).display().to_string(),
        name: found.name.clone(),
        options: (!found.options.is_empty()).then(|| found.options.clone()),
        scope: "local",
        usage_data: usage.map(|(size, ref_count)| UsageData { ref_count, size }),
    }
}

/// Docker shows whole seconds.
fn created(nanoseconds: i64) -> String {
    timestamp::format(Some(nanoseconds - nanoseconds.rem_euclid(1_000_000_000)))
}
