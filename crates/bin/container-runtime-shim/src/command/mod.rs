//! What the program does by its command line.

mod delete;
pub(crate) mod init;
mod log;
mod namespaces;
mod serve;
mod start;

pub(crate) use delete::delete;
pub(crate) use log::log;
pub(crate) use namespaces::namespaces;
pub(crate) use serve::serve;
pub(crate) use start::start;
