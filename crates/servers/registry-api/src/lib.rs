//! The OCI distribution specification, version 1.1.1, in front of [`repositories`]; and who may do what.
//!
//! [`serve`] takes a bound listener and answers until it is told to end. A request passes through
//!
//! 1. `serve`: a task of its own, so that a client that leaves is an error in its body and not the end of its handler;
//! 2. `http::route`: which end-point of which repository, by the grammar of names;
//! 3. `access`: whether this client may do that, and how it can show that it may;
//! 4. a handler in `endpoints`, one file for each group of end-points;
//! 5. `http::refusal`: the one table from errors to status and code.

mod access;
mod endpoints;
mod guarded;
mod http;
mod listen;
mod pace;
mod registry;
mod serve;
mod source;
mod watch;

pub use access::{
    Access, AccessError, AccessList, Htpasswd, Issuer, TokenAccess, TrustedKeys, htpasswd_line,
};
pub use listen::{DEFAULT_CONNECTIONS, ListenError, Listener, bind, server_config};
pub use registry::Registry;
pub use serve::serve;
pub use server_tls::{ReloadingConfig, TlsError, TlsFiles};
