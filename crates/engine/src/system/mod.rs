//! The verbs on the engine itself.

mod cgroup_driver;
mod check;
mod df;
mod doctor;
mod events;
mod gc;
mod info;
mod open;
mod purge;
mod remap;
mod shutdown;
pub mod state;
mod store_age;
mod timer;

pub(crate) use cgroup_driver::check as check_cgroup_parent;
pub(crate) use check::{CONTAINER_DEAD, SHIM_LOST};
pub use check::{Checked, check};
pub use df::{DiskUsage, Measured, disk_usage};
pub use doctor::{Examination, Line, Verdict, doctor};
pub use events::{EventStream, events};
pub(crate) use gc::after_pull;
pub use gc::{Choice, Collected, Fate, gc};
pub use info::{Info, info};
pub(crate) use open::registries;
pub use open::{Opening, open};
pub use purge::purge;
pub use shutdown::{Shutdown, close, request_shutdown};
pub use store_age::StoreAge;

/// Where the registry that an engine serves keeps everything, in the engine's root directory.
pub fn registry_dir(settings: &config::Settings) -> std::path::PathBuf {
    settings.runtime.root_dir.join("registry")
}

/// Where the engine has its blobs.
pub fn blobs_dir(settings: &config::Settings) -> std::path::PathBuf {
    settings.storage_root().join(images::BLOBS)
}

/// Where it has its layers.
pub fn layers_dir(settings: &config::Settings) -> std::path::PathBuf {
    settings.storage_root().join(images::LAYERS_DIR)
}

/// Version of this engine.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
