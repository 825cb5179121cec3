//! ttrpc on a unix socket: frames in, frames out, never blocking.
//!
//! A frame is a header of ten bytes (length and stream number, big-endian, then type and flags) and a protobuf
//! message; see containerd/ttrpc's PROTOCOL.md. The shim's service has no streaming methods, so a request is one
//! frame and so is its response.

mod connection;
mod frame;

pub(crate) use connection::{Connection, Incoming};
pub(crate) use frame::{Kind, encode};
