//! What verbs answer, in Docker's JSON.

pub(crate) mod changes;
pub(crate) mod container;
pub(crate) mod duration;
pub(crate) mod event;
pub(crate) mod image;
pub(crate) mod mounts;
pub(crate) mod network;
pub(crate) mod path;
pub(crate) mod registry;
pub(crate) mod settings;
pub(crate) mod state;
pub(crate) mod stats;
pub(crate) mod store;
pub(crate) mod summary;
pub(crate) mod system;
pub(crate) mod volume;
