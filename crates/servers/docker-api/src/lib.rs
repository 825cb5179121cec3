//! Docker's Engine API, versions 1.24 to 1.51, in front of the engine's verbs.
//!
//! [`serve`] takes a bound listener and answers until it is told to shut down. A request passes through
//!
//! 1. `http::connection`: its own task, so that a client that leaves never cuts a verb in half;
//! 2. `http::dispatch`: the version in its path, and the headers of every answer;
//! 3. a handler in `routes`, one file a verb or a group of small ones: it reads query and body, calls one verb of the
//!    engine, and writes what came back;
//! 4. `wire` holds Docker's JSON, `translate` turns its description of a container into the engine's and back,
//!    `present` writes the engine's answers in it.
//!
//! Nothing here decides anything about containers: that is the engine's. And nothing below knows Docker's JSON.

mod http;
mod listen;
mod present;
mod routes;
mod serve;
mod translate;
mod wire;

pub use http::version::{ApiVersion, NEWEST, OLDEST, VersionError};
pub use listen::{ListenError, Listener, inherited, tcp, tls, unix};
pub use serve::serve;
pub use server_tls::{TlsError, TlsFiles};
