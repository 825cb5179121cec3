//! What the program does by its command line.

mod compress;
mod delete;
mod hold;
pub(crate) mod init;
mod log;
mod namespaces;
mod serve;
mod start;

pub(crate) use compress::compress;
pub(crate) use delete::delete;
pub(crate) use hold::hold;
pub(crate) use log::log;
pub(crate) use namespaces::namespaces;
pub(crate) use serve::serve;
pub(crate) use start::start;
