//! Control groups: which version a host has, where a container's are, what they count, and how to end one.
//!
//! Knows nothing of containers but an id in a path. Limits are set by whoever creates the processes (the shim); this
//! crate reads, freezes, kills and removes, and asks systemd for scopes where systemd rules the tree. Everything here is synchronous and reads a handful of small files.
//!
//! A [`Host`] is detected once; a [`Cgroup`] is a path below it, and every read opens the files anew: there is no
//! state to go stale.

mod control;
mod error;
mod files;
mod group;
mod host;
mod join;
mod limits;
mod naming;
mod stats;
mod stats_read;
mod systemd;
mod warmth;

#[cfg(test)]
mod tests;

pub use error::{Error, Result};
pub use group::Cgroup;
pub use host::{Controller, Host, Mode};
pub use naming::{Driver, container_path, relative_path};
pub use stats::{BlockIoEntry, BlockIoStats, CpuStats, MemoryStats, PidsStats, Stats, Throttling};
pub use systemd::Scope;
pub use warmth::Warmth;
