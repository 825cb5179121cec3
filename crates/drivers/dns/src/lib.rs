//! Names for containers: who asks, what they may see, and whom else to ask.
//!
//! [`Server`] listens at the gateways of networks and on 127.0.0.11 inside containers. A question that comes there is
//! answered from the tables in `names`, from the cache, or by servers outside, in this order (`answer`). Threads of their
//! own take datagrams and answer what is known (`server/worker.rs`); TCP and everything that has to wait is tokio's.

mod answer;
mod cache;
mod error;
mod forward;
pub mod message;
mod names;
pub mod probe;
mod server;
pub mod servers;

pub use error::{Error, Result};
pub use server::Server;
