//! The table of all keys, a file a section: what the reference page, the messages and completion are made from.

mod network;
mod others;
mod registry;
mod runtime;
mod state;
mod storage;

use crate::Key;

/// The sections, in the order of the reference page.
pub const SECTIONS: [&str; 8] =
    ["runtime", "network", "storage", "registry", "dns", "logging", "metrics", "state"];

/// Every key, section by section.
pub fn keys() -> impl Iterator<Item = &'static Key> {
    let parts: [&'static [Key]; 6] =
        [&runtime::KEYS, &network::KEYS, &storage::KEYS, &registry::KEYS, &others::KEYS, &state::KEYS];
    parts.into_iter().flatten()
}
