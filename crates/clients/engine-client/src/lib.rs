//! A small asynchronous client of the Docker Engine API.
//!
//! It speaks HTTP/1.1 over a unix socket, TCP, or TCP with TLS and client certificates, negotiates the API
//! version as the docker CLI does, and hands out upgraded (hijacked) connections for attach and exec. It knows
//! how to carry requests, not what they mean: paths, parameters and bodies are the caller's, typed with serde.
//!
//! Nothing is opened before the first request, and no thread is ever started except to read a file being
//! uploaded, so that a short command stays short.

mod body;
mod client;
mod connection;
mod endpoint;
mod error;
mod hijack;
mod names;
mod response;
mod stdcopy;
mod tls;
mod version;

pub use body::Upload;
pub use client::{Client, Options, Ping, Request, Revive};
pub use endpoint::{Endpoint, ParseEndpointError, Transport};
pub use error::{Error, Result};
pub use hijack::{Hijacked, ReadHalf, WriteHalf};
pub use response::{JsonLines, Response};
pub use stdcopy::{Demultiplexer, Frame, StreamKind};
pub use tls::{TlsError, TlsFiles};
pub use version::ApiVersion;
