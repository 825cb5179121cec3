//! Links, addresses, routes, network namespaces and the packet filter: the kernel's side of networks.
//!
//! Knows no container and no engine. Every call is blocking and short (microseconds; attaching a device about
//! 1.5 ms); what takes longer says so. Measured on the kernels that matter, and obeyed here: a device is never moved
//! between namespaces (17 ms), but born in the right one; a device is never deleted on the way of an operation
//! (18 ms), but goes with its namespace; namespaces are prepared ahead.

pub mod address;
mod attributes;
pub mod branch;
mod bridge;
mod chosen;
mod elements;
mod error;
pub mod firewall;
pub mod link;
pub mod listening;
mod lock;
mod lost;
mod mac;
mod namespace;
mod nfnetlink;
mod pool;
mod reaper;
pub mod route;
mod socket;
mod stop;
pub mod sysctl;

pub use bridge::{Attachment, Bridge, BridgeConfig};
pub use chosen::{Chosen, choose};
pub use elements::{Element, Elements};
pub use error::{Error, Result};
pub use lock::NamespaceLock;
pub use lost::Lost;
pub use mac::{BadMac, Mac};
pub use namespace::{Namespace, Settings};
pub use pool::Pool;
pub use reaper::Reaper;
pub use socket::{Request, Socket};
pub use stop::Stop;

#[cfg(test)]
mod tests;
