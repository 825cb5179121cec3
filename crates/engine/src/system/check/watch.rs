//! The engine looks at itself again and again.

use super::disagreement::Disagreement;
use super::state;
use crate::Services;
use parking_lot::Mutex;
use std::sync::Arc;
use std::time::Duration;

/// No engine lives so long.
const NEVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Until the first look, and until a second one at what a look has found new.
const SOON: Duration = Duration::from_secs(1);

/// What one look leaves to the next.
struct Last {
    found: Vec<Disagreement>,
    /// How many more looks come soon: on a busy host each may find something new.
    soon: u8,
}

/// Compares records, kernel and disk for as long as the engine lives, and mends what is safe to be mended and was there in two looks.
pub(in super::super) fn watch(services: &Arc<Services>) {
    // A daemon that was killed may have left something half done.
    let last = Arc::new(Mutex::new(Last { found: Vec::new(), soon: 2 }));
    // Asked for anew whenever the settings have changed.
    let interval = {
        let last = Arc::clone(&last);
        move |services: &Arc<Services>| match services.settings().runtime.repair_interval {
            0 => NEVER,
            _ if last.lock().soon > 0 => SOON,
            seconds => Duration::from_secs(seconds),
        }
    };
    let each = move |services: Arc<Services>| {
        let last = Arc::clone(&last);
        async move {
            let known = std::mem::take(&mut last.lock().found);
            services.store_age.note(&services.store).await;
            let found = state::keep(&services, &known).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "compare records, kernel and disk");
                Vec::new()
            });
            let is_new = found.iter().any(|one| !known.iter().any(|before| before.is_same(one)));
            let mut last = last.lock();
            let soon = match last.soon {
                _ if !is_new => 0,
                // What a usual look finds new is looked at once more.
                0 => 1,
                more => more - 1,
            };
            *last = Last { found, soon };
        }
    };
    let (changed, services) = (services.settings.subscribe(), Arc::downgrade(services));
    tokio::spawn(super::super::timer::each(interval, changed, services, each));
}
