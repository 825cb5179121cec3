//! HTTP as the Engine API uses it, before any verb is known: versions, queries, bodies, answers, and connections
//! that stop being HTTP half way.

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod connection;
pub(crate) mod credentials;
pub(crate) mod detach_keys;
pub(crate) mod dispatch;
pub(crate) mod filters;
pub(crate) mod heap;
pub(crate) mod hijack;
mod leftover;
mod lenient;
pub(crate) mod lines;
pub(crate) mod progress;
pub(crate) mod pump;
pub(crate) mod query;
pub(crate) mod timestamp;
pub(crate) mod transfer;
pub(crate) mod version;
