//! The syntaxes of single flags' values, each with docker's messages.

pub(crate) mod csv;
pub(crate) mod device;
pub(crate) mod duration;
pub(crate) mod env;
pub(crate) mod filter;
pub(crate) mod format;
pub(crate) mod gpus;
pub(crate) mod hosts;
pub(crate) mod limits;
pub(crate) mod mount;
pub(crate) mod network;
pub(crate) mod ports;
pub(crate) mod restart;
pub(crate) mod security;
pub(crate) mod volume;
