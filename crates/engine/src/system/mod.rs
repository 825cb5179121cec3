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

pub(crate) use cgroup_driver::check as check_cgroup_parent;
pub use check::check;
pub use df::{DiskUsage, Measured, disk_usage};
pub use events::{EventStream, events};
pub(crate) use gc::after_pull;
pub use gc::{Choice, Collected, Fate, gc};
pub use info::{Info, info};
pub use open::{Opening, open};
pub use purge::purge;
pub use shutdown::{Shutdown, close, request_shutdown};

/// Version of this engine.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
