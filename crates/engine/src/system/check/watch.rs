//! The engine looks at itself again and again.

use super::disagreement::Disagreement;
use super::state;
use crate::Services;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// No engine lives so long.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Compares records, kernel and disk for as long as the engine lives, and mends what is safe to be mended and was there in two looks.
pub(in super::super) fn watch(services: &Arc<Services>) {
    // Asked for anew whenever the settings have changed.
    let interval = |services: &Arc<Services>| match services.settings().runtime.repair_interval {
        0 => NEVER,
        seconds => Duration::from_secs(seconds),
    };
    let before: Arc<Mutex<Vec<Disagreement>>> = Arc::default();
    let each = move |services: Arc<Services>| {
        let before = Arc::clone(&before);
        async move {
            let known = std::mem::take(&mut *before.lock());
            services.store_age.note(&services.store).await;
            match state::keep(&services, &known).await {
                Ok(found) => *before.lock() = found,
                Err(error) => tracing::warn!(%error, "compare records, kernel and disk"),
            }
        }
    };
    let (changed, services) = (services.settings.subscribe(), Arc::downgrade(services));
    tokio::spawn(super::super::timer::each(interval, changed, services, each));
}
