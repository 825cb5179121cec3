//! Volumes: directories that outlive containers, with Docker's local driver.
//!
//! ```text
//! <root>/volumes/
//! ├── <name>/
//! │   ├── _data            what containers see; with driver options a mount point
//! │   └── _populate        the image's content on its way to _data (only while a container is created)
//! └── .removing-<name>     on its way into the trash; back to <name> if the record is still there at start
//!
//! store: volumes/<name>    a Volume as JSON
//! ```
//!
//! A volume is *referenced* by the containers that have it in their configuration, which keeps it from being removed,
//! and *mounted* by those that run, which keeps its driver's mount in place. Neither is stored here: the engine, whose
//! container records are the truth, says both at start ([`Volumes::restore`]) and as they change.

mod audit;
mod directories;
mod driver;
mod error;
mod filter;
mod locks;
mod mount_options;
mod populate;
mod usage;
mod users;
mod volume;
mod volumes;

pub use audit::Audit;
pub use driver::DRIVER;
pub use error::{Result, VolumeError};
pub use filter::Filter;
pub use populate::populate;
pub use volume::{ANONYMOUS_LABEL, Create, Volume};
pub use volumes::{Pruned, Reference, Volumes};
