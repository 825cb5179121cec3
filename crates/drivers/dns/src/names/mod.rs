//! Who is called what, and who may see it.
//!
//! A network has a table of its names that never changes: a change makes another one, which shares with the old what is
//! the same, and puts it in its place. So a question is answered without a lock, and a change costs what is changed.

mod container;
mod directory;
mod network;

pub(crate) use container::{Container, Found, View};
pub(crate) use directory::Directory;
pub(crate) use network::Network;

#[cfg(test)]
mod tests;
