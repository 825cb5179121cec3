//! The verbs of the engine: what it can do, one function a verb, one file a function.
//!
//! Servers translate their protocol into these calls and back. Each takes the [`Services`] it works on and plain
//! values, and answers plain values or a classified [`errors::Error`]. A verb that changes something validates
//! everything first, then acts, registering an undo for every step; it runs on even if its caller goes away.
//!
//! To follow a `docker run`: [`container::create`] writes the record and the writable layer, [`container::attach`]
//! queues the client, [`container::start`] makes network, bundle and process and leaves
//! `container/exit.rs` waiting for the end, which [`container::wait`] reports.

pub mod container;
pub mod exec;
mod filters;
mod host;
pub mod image;
mod names;
pub mod network;
mod random;
mod services;
pub mod settings;
pub mod system;
mod time;
pub mod volume;

pub use filters::{FilterError, Filters, until};
pub use host::Host;
pub use services::Services;
pub use sys::clock::now;
