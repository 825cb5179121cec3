//! The small init that `--init` puts before a container's program.

use crate::Services;
use std::path::PathBuf;

/// The init program on the host: the configured one, else our shim, which is one when it is called `docker-init`.
pub(super) fn path(services: &Services) -> PathBuf {
    let configured = services.settings.runtime.init_path.clone();
    configured.unwrap_or_else(|| services.host.shim.clone())
}
