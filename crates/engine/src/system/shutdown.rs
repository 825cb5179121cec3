//! Ending the daemon's process; containers go on.

use crate::Services;
use std::sync::Arc;

/// How the daemon shall end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shutdown {
    /// Remove everything that is its: containers, images, volumes, networks, directories.
    pub purge: bool,
}

/// How long the last events may take to be written down.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(1);

/// Asks the daemon that holds these services to end.
pub fn request_shutdown(services: &Services, how: Shutdown) {
    services.shutdown.send_replace(Some(how));
}

/// Ends what belongs to this process alone: idle shims, listeners. Containers go on.
pub async fn close(services: &Arc<Services>) {
    services.store_age.note(&services.store).await;
    crate::names::close(services).await;
    services.events.close();
    if let Some(journal) = services.journal.lock().await.take() {
        // A disk that does not answer is not waited for.
        let _ = tokio::time::timeout(PATIENCE, journal).await;
    }
    services.runtimes.close().await;
}
