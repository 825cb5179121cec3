//! The verbs on the engine itself.

mod cgroup_driver;
mod check;
mod df;
mod events;
mod gc;
mod info;
mod open;
mod purge;
mod remap;
mod shutdown;
pub mod state;

pub(crate) use cgroup_driver::check as check_cgroup_parent;
pub use check::check;
pub use df::{DiskUsage, Measured, disk_usage};
pub use events::{EventStream, events};
pub(crate) use gc::after_pull;
pub use gc::{Choice, Collected, Fate, gc};
pub use info::{Info, info};
pub use open::{Opening, open};
pub(crate) use open::{ip_range, registries};
pub use purge::purge;
pub use shutdown::{Shutdown, close, request_shutdown};

/// Where the registry that an engine serves keeps everything, in the engine's root directory.
pub fn registry_dir(settings: &config::Settings) -> std::path::PathBuf {
    settings.runtime.root_dir.join("registry")
}

/// Where the engine has its blobs.
pub fn blobs_dir(settings: &config::Settings) -> std::path::PathBuf {
    settings.storage_root().join(images::BLOBS)
}

/// Version of this engine.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
