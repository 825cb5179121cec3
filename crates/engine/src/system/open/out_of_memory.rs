//! The kernel's kills for lack of memory, as shims report them.

use crate::Services;
use runtime::TaskEventKind;
use std::sync::Arc;

/// Tells the world about processes that the kernel killed for lack of memory while their container lived on.
pub(super) fn watch(services: &Arc<Services>) {
    let mut reports = services.runtimes.events();
    let services = Arc::downgrade(services);
    tokio::spawn(async move {
        loop {
            let report = match reports.recv().await {
                Ok(report) => report,
                Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => continue,
                Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
            };
            let Some(services) = services.upgrade() else { return };
            if report.kind == TaskEventKind::Oom
                && let Some(container) = services.containers.get(&report.id)
                && container.state().is_live()
            {
                container.set_out_of_memory(true);
                let event = crate::container::event(&::events::ContainerAction::Oom, &container.record());
                services.events.publish(event);
            }
        }
    });
}
