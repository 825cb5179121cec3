//! Ending the daemon's process; containers go on.

use crate::Services;
use std::sync::Arc;

/// How the daemon shall end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shutdown {
    /// Remove everything that is its: containers, images, volumes, networks, directories.
    pub purge: bool,
}

/// Asks the daemon that holds these services to end.
pub fn request_shutdown(services: &Services, how: Shutdown) {
    services.shutdown.send_replace(Some(how));
}

/// Ends what belongs to this process alone: idle shims, listeners. Containers go on.
pub async fn close(services: &Arc<Services>) {
    crate::names::close(services).await;
    services.events.close();
    services.runtimes.close().await;
}
